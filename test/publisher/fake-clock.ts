/** A clock that only `advance` moves, and pauses that end by it. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Pause } from '../../bridge/shared/backoff.ts';

export class FakeClock {
  #now: number;
  readonly #alarms = new Set<{ at: number; ring: () => void }>();

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  readonly pause: Pause = (ms, signal) =>
    new Promise((resolve) => {
      const alarm = {
        at: this.#now + ms,
        ring: () => {
          this.#alarms.delete(alarm);
          resolve();
        },
      };
      this.#alarms.add(alarm);
      signal.addEventListener('abort', alarm.ring);
    });

  /** Lets `ms` pass, each pause ending at its time, and all that follows from it happen. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = [...this.#alarms].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      next.ring();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Everything that needs no time happens. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await turn();
}
