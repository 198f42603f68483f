/**
 * How long to wait before connecting again: exponential backoff with full jitter, so that the
 * sockets of a room that were cut off together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 */

/**
 * A deploy cuts all sockets at once: a room's 2,000 come back over a second. After a long outage
 * half a minute more goes unseen, and a million clients ask 70,000 times a second at the most.
 */
const BASE_MS = 1_000;
const CAP_MS = 30_000;
/** A gateway that names a longer wait than this is taken to be mistaken. */
const MAX_FLOOR_MS = 300_000;

/** @param failures attempts that failed before this one. */
export function backoffMs(failures: number, random: () => number, floorMs: number): number {
  // The jitter is added to the floor: all clients are told the same one.
  return Math.min(floorMs, MAX_FLOOR_MS) + random() * Math.min(CAP_MS, BASE_MS * 2 ** failures);
}
