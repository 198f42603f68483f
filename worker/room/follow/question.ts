/**
 * When the followers of a room without any event are asked whether they still want it. A follower leaves
 * by what it answers to a push, and such a room pushes nothing: so it pushes its empty log now and then.
 * Each time costs a wake of the room and of its followers, so it is done whenever the room is twice as old.
 */

/** The first time, in ms after the room was first followed. */
const FIRST = 600_000;
/** The longest time between two, in ms. */
const LONGEST = 86_400_000;

export class Question {
  #at = Number.POSITIVE_INFINITY;

  /** When it is due, Unix ms; infinite if it was not planned since the object woke. */
  get at(): number {
    return this.#at;
  }

  /** Whether it may be asked: an alarm that has woken the object was perhaps set for it. */
  isDue(now: number): boolean {
    return this.#at <= now || this.#at === Number.POSITIVE_INFINITY;
  }

  /** @param epoch of the log, which is the time when the room began; 0 for a mirror that was never filled. */
  plan(epoch: number, now: number): void {
    const age = epoch === 0 ? 0 : now - epoch;
    this.#at = now + Math.min(Math.max(age, FIRST), LONGEST);
  }
}
