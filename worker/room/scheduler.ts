/**
 * The one timer of an object. Whatever has something to do later says when; the timer is set for
 * whoever is first. An object with nothing to do has no timer, and so it can hibernate.
 */
import type { Turn } from './turn.ts';

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
  readonly #present: Turn;
  readonly #wake: (depth: number) => void;
  #timer: unknown;
  #wakesAt = Number.POSITIVE_INFINITY;
  /** The depth of the turn that set the timer. */
  #depth = 0;

  /** @param wake begins a turn of a depth, which calls `run` and then `arm`. */
  constructor(
    timers: Timers,
    parts: readonly Scheduled[],
    present: Turn,
    wake: (depth: number) => void,
  ) {
    this.#timers = timers;
    this.#parts = parts;
    this.#present = present;
    this.#wake = wake;
  }

  /** Runs the parts that are due. */
  run(now: number): void {
    for (const part of this.#parts) if (part.dueAt <= now) part.run(now);
  }

  /**
   * Sets the timer. One that goes off too early does no harm: it is set again then. One that more calls
   * led to than to this turn is set anew, since what it does counts on from there.
   */
  arm(now: number): void {
    let at = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#parts) at = Math.min(at, dueAt);
    const { depth } = this.#present;
    const isSet = at === this.#wakesAt || this.#wakesAt < at;
    const isNeeded = at !== Number.POSITIVE_INFINITY;
    if (isSet && isNeeded && this.#depth <= depth) return;
    this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = at;
    if (!isNeeded) return;
    this.#depth = depth;
    const delay = Math.max(0, Math.ceil(at - now));
    this.#timer = this.#timers.setTimeout(() => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      this.#wake(depth);
    }, delay);
  }
}
