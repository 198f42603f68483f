/**
 * When a channel flushes. Three rules decide it:
 *
 * - The priority of an entry says how long it may wait for others to share its frame.
 * - The policy of the room says the least time between two flushes.
 * - The object never spends more than three fifths of its time on flushes, over all its channels. It
 *   has a budget of sending time, which fills while time passes and is spent by each turn in which
 *   something was flushed. The cost of a turn is counted, with constants that were measured, because in
 *   production clocks stand still while a request is served.
 *
 * So frames grow fuller as load grows, and a burst after a rest leaves at once. A flush that comes late
 * shows that others need the time, so the budget does not fill while it is waited for.
 *
 * A message costs much, and its characters cost little. So while events are few, an object sends often;
 * when they are many, each message costs up to twice as much, and the object sends half as often.
 * Rejected: half of the time for all loads, since what is left is needed for taking in events, and when
 * they are few, that is little; and the whole cost of the characters, since then frames grow fuller and
 * fuller near the most that can be delivered, and come late.
 */
import type { Priority } from '../../protocol/events/events.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Sent } from '../turn.ts';
import { Budget } from './budget.ts';

/** How long an entry may wait for others to share its frame, in ms. */
const PRIORITY_WAIT: Readonly<Record<Priority, number>> = { high: 0, medium: 50, low: 250 };
/** CPU time of one message to one socket, in ms: measured in workerd. */
const MESSAGE_COST = 0.031;
/** CPU time of each of its characters, in ms: measured in workerd. They are paid for up to the cost of the message. */
const CHARACTER_COST = 1.1e-6;
/** CPU time of one call to another object, in ms: measured in workerd. */
const CALL_COST = 0.1;
/** The part of the time that an object may spend on flushes. */
const FLUSH_SHARE = 3 / 5;
/** The same for a relay. Its messages carry more when they wait, as all rooms of a socket share one. */
export const RELAY_FLUSH_SHARE = 1 / 2;
/**
 * The sending time that a rested object may spend at once, in ms. It bounds how long an object is
 * busy with one burst, so that the messages of its clients do not wait longer.
 */
const FULL_BUDGET = 50;

/** The time by which an entry that is appended at `now` is to be sent, Unix ms. */
export function deadlineOf(priority: Priority, now: number): number {
  return now + PRIORITY_WAIT[priority];
}

/** The next of the ticks that all members of a rate share, Unix ms: whole parts of a second. */
export function nextTick(rate: MaxRate, now: number): number {
  const period = 1_000 / rate;
  return (Math.floor(now / period) + 1) * period;
}

/** The budget of sending time that all channels of an object share. */
export class Pace {
  readonly #sendingTime: Budget;
  /** Since when what is flushed in this turn was due, Unix ms; infinite while nothing is flushed. */
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(share = FLUSH_SHARE) {
    this.#sendingTime = new Budget(FULL_BUDGET, share);
  }

  /** From when on a flush is affordable, Unix ms. */
  get affordableAt(): number {
    return this.#sendingTime.affordableAt;
  }

  /** Something is flushed in this turn that was due at `dueAt`, Unix ms. */
  flushes(dueAt: number): void {
    this.#dueAt = Math.min(this.#dueAt, dueAt);
  }

  /**
   * Pays, at the end of a turn in which something was flushed, for all that the turn has sent. It may
   * leave the budget in debt. What clients are answered in other turns is not paid for, so that nobody
   * holds up the flushes of a room by asking.
   */
  settle({ messages, characters }: Readonly<Sent>, now: number): void {
    if (this.#dueAt === Number.POSITIVE_INFINITY) return;
    const cost = messages * MESSAGE_COST;
    const more = Math.min(cost, characters * CHARACTER_COST);
    this.#sendingTime.spend(cost + more, now, this.#dueAt);
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  /** Pays for calls to other objects at `now`. */
  spendOnCalls(calls: number, now: number): void {
    this.#sendingTime.spend(calls * CALL_COST, now);
  }
}
