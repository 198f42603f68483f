/**
 * When a room flushes. Priority says how long an entry may wait for company, the policy the least
 * time between two flushes, and the room never spends more than half its time on them: by count,
 * with a measured cost, since clocks stand still inside a request in production. So frames grow
 * fuller as load grows.
 */
import type { Priority } from '../../protocol/events.ts';
import type { MaxRate } from '../../protocol/messages.ts';

/** How long an entry may wait for others to share its frame, in ms. */
const PRIORITY_WAIT: Readonly<Record<Priority, number>> = { high: 0, medium: 50, low: 250 };
/** CPU time of one recipient of one frame, in ms: measured in workerd, nearly independent of size. */
const RECIPIENT_COST = 0.045;
/** Of its time, a room may flush one part in so many. */
const FLUSH_SHARE = 2;

/** By when an entry that is appended at `now` is to be sent. */
export function deadlineOf(priority: Priority, now: number): number {
  return now + PRIORITY_WAIT[priority];
}

/** The least time between two flushes to so many recipients, in ms. */
export function leastInterval(policyInterval: number, recipients: number): number {
  return Math.max(policyInterval, FLUSH_SHARE * recipients * RECIPIENT_COST);
}

/** The next of the ticks that all members of a rate share: whole parts of a second. */
export function nextTick(rate: MaxRate, now: number): number {
  const period = 1_000 / rate;
  return (Math.floor(now / period) + 1) * period;
}
