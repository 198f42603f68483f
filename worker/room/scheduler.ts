/**
 * The one timer of an object. Whatever has something to do later says when; the timer is set for
 * whoever is first. An object with nothing to do has no timer, and so it can hibernate.
 */

/** The clock and the timers of a platform. */
export interface Timers {
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
}

export interface Scheduled {
  /** When it is to be run next, Unix ms; infinite when it has nothing to do. */
  readonly dueAt: number;
  run(now: number): void;
}

export class Scheduler {
  readonly #timers: Timers;
  readonly #parts: readonly Scheduled[];
  readonly #wake: () => void;
  #timer: unknown;
  #wakesAt = Number.POSITIVE_INFINITY;

  /** @param wake begins a turn, which calls `run` and then `arm`. */
  constructor(timers: Timers, parts: readonly Scheduled[], wake: () => void) {
    this.#timers = timers;
    this.#parts = parts;
    this.#wake = wake;
  }

  /** Runs the parts that are due. */
  run(now: number): void {
    for (const part of this.#parts) if (part.dueAt <= now) part.run(now);
  }

  /** Sets the timer. One that goes off too early does no harm: it is set again then. */
  arm(now: number): void {
    let at = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#parts) at = Math.min(at, dueAt);
    if (at === this.#wakesAt || (this.#wakesAt < at && at !== Number.POSITIVE_INFINITY)) return;
    this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(0, Math.ceil(at - now));
    this.#timer = this.#timers.setTimeout(() => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      this.#wake();
    }, delay);
  }
}
