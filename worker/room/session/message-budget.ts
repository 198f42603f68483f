/**
 * How many messages a client may send: each wakes the room and most are answered, so a flood of them
 * would be the others' delay. A bucket of tokens a member, filled again as time passes; in memory
 * only, since a room that sleeps has nobody to protect.
 */

/** At once: a client that joins, subscribes anew and acks a backlog needs a few. */
const BURST = 100;
/** A second: an ack for each half window would be 2.6 MB/s. */
const PER_SECOND = 20;

export class MessageBudget {
  #tokens = BURST;
  #filledAt: number;

  constructor(now: number) {
    this.#filledAt = now;
  }

  /** Whether there is one message more in it. */
  spend(now: number): boolean {
    const earned = ((now - this.#filledAt) / 1_000) * PER_SECOND;
    this.#tokens = Math.min(BURST, this.#tokens + Math.max(0, earned)) - 1;
    this.#filledAt = now;
    return this.#tokens >= 0;
  }
}
