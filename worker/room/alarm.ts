/**
 * The one alarm of an object, which wakes it even after a crash. Whoever needs it says by when; it is
 * set for whoever is first, and when it goes off, each of them looks whether it has something to do.
 */
export class Alarm {
  readonly #set: (at: number) => void;
  /** It goes off at this time at the latest, Unix ms. */
  #at: number;

  /** @param at when it was set for before the object slept, at the latest. */
  constructor(set: (at: number) => void, at = Number.POSITIVE_INFINITY) {
    this.#set = set;
    this.#at = at;
  }

  /** Has it go off at `at` or earlier, Unix ms; an infinite time asks for nothing. */
  ask(at: number): void {
    if (at >= this.#at) return;
    this.#at = at;
    this.#set(at);
  }

  wentOff(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }
}
