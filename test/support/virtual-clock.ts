/** A clock that stands still until a test lets time pass, and its timers. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Pause } from '../../bridge/shared/backoff.ts';
import type { Timers } from '../../worker/room/scheduler.ts';

/** What needs more turns than this in one advance never comes to rest. */
const MAX_TURNS = 5_000;

interface Timer {
  readonly id: number;
  readonly at: number;
  readonly callback: () => void;
}

export class VirtualClock implements Timers {
  #time: number;
  #timers: Timer[] = [];
  #nextId = 1;

  /** @param time Unix ms. */
  constructor(time = 1_700_000_000_000) {
    this.#time = time;
  }

  readonly now = (): number => this.#time;

  readonly setTimeout = (callback: () => void, ms: number): number => {
    const id = this.#nextId++;
    this.#timers.push({ id, at: this.#time + ms, callback });
    return id;
  };

  readonly clearTimeout = (timer: unknown): void => {
    this.#timers = this.#timers.filter(({ id }) => id !== timer);
  };

  /** Resolves when the time has passed, or at once when `signal` aborts. */
  readonly pause: Pause = (ms, signal) =>
    new Promise((resolve) => {
      const timer = this.setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        this.clearTimeout(timer);
        resolve();
      });
    });

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** An object's timers end with it. */
  forgetTimers(): void {
    this.#timers = [];
  }

  /** Lets `ms` pass at once: each timer goes off at its time, in a turn of its own. */
  advance(ms: number, turn: (act: () => void) => void = (act) => act()): void {
    const until = this.#time + ms;
    for (let turns = 0; ; turns++) {
      if (turns > MAX_TURNS) throw new Error(`${turns} timers went off in ${ms} ms`);
      const next = this.#takeNext(until);
      if (next === undefined) break;
      turn(next.callback);
    }
    this.#time = until;
  }

  /** As `advance`, and whatever only awaits promises goes on in between. */
  async elapse(ms: number): Promise<void> {
    const until = this.#time + ms;
    await settle();
    for (let next = this.#takeNext(until); next !== undefined; next = this.#takeNext(until)) {
      next.callback();
      await settle();
    }
    this.#time = until;
    await settle();
  }

  /** A sleep: the time is later (or earlier), and timers that became due go off only now. */
  async jump(ms: number): Promise<void> {
    this.#time += ms;
    // Timers run on time since boot, so a clock that is set back does not delay them.
    if (ms < 0) this.#timers = this.#timers.map((timer) => ({ ...timer, at: timer.at + ms }));
    await this.elapse(0);
  }

  #takeNext(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    if (next === undefined || next.at > until) return undefined;
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.#time = Math.max(this.#time, next.at);
    return next;
  }
}

/** Lets everything go on that awaits nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await turnOfTheLoop();
}
