/** Waiting for what happens elsewhere, with an end. */
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 30_000;
const POLL_MS = 20;

/**
 * The first value of `probe` that is neither undefined nor false; what it throws counts as "not
 * yet". `what` is awaited is said when it does not come.
 */
export async function until<Value>(
  what: string,
  probe: () => Value | undefined | false | Promise<Value | undefined | false>,
  deadlineMs = DEADLINE_MS,
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  let cause: unknown;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what}: not within ${deadlineMs} ms`, { cause });
}
