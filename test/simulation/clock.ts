/** A clock whose timers go off, each in a turn of its own, when it is advanced. */
import type { Timers } from '../../worker/room/scheduler.ts';

/** A room that needs more turns than this in one advance never comes to rest. */
const MAX_TURNS = 5_000;

interface Timer {
  readonly id: number;
  readonly at: number;
  readonly callback: () => void;
}

export class Clock implements Timers {
  #time = 1_700_000_000_000;
  #timers: Timer[] = [];
  #nextId = 1;

  readonly now = (): number => this.#time;

  readonly setTimeout = (callback: () => void, ms: number): number => {
    const id = this.#nextId++;
    this.#timers.push({ id, at: this.#time + ms, callback });
    return id;
  };

  readonly clearTimeout = (timer: unknown): void => {
    this.#timers = this.#timers.filter(({ id }) => id !== timer);
  };

  get pending(): number {
    return this.#timers.length;
  }

  /** An object's timers end with it. */
  forgetTimers(): void {
    this.#timers = [];
  }

  advance(ms: number, turn: (act: () => void) => void = (act) => act()): void {
    const until = this.#time + ms;
    for (let turns = 0; ; turns++) {
      if (turns > MAX_TURNS) throw new Error(`${turns} timers went off in ${ms} ms`);
      let next: Timer | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
      if (next === undefined || next.at > until) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#time = Math.max(this.#time, next.at);
      turn(next.callback);
    }
    this.#time = until;
  }
}
