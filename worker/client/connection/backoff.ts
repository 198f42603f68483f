/**
 * How long to wait before connecting again: exponential backoff with full jitter, so that the
 * sockets of a room that were cut off together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 */

/**
 * A deploy cuts all sockets at once, and the 2,000 of a room come back over a second. After a long
 * outage nobody notices half a minute more, and a million clients ask at most 70,000 times a second.
 */
const BASE_MS = 1_000;
const CAP_MS = 30_000;
/** A longer wait that a gateway names is taken for a mistake. */
const MAX_FLOOR_MS = 300_000;

/** @param failures how many attempts failed before this one. */
export function backoffMs(failures: number, random: () => number, floorMs: number): number {
  // The jitter is added to the floor, because all clients get the same floor.
  return Math.min(floorMs, MAX_FLOOR_MS) + random() * Math.min(CAP_MS, BASE_MS * 2 ** failures);
}
