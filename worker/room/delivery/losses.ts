/** What members were not given, counted since the object woke: no loss is silent. */
import type { Slice } from './slice.ts';

/** How often they are reported, in ms. */
const REPORT_INTERVAL = 60_000;

export class Losses {
  /** Entries that were left out for newer ones of their key, summed over the members. */
  conflated = 0;
  gaps = 0;
  slowConsumers = 0;
  #reported = 0;
  #reportedAt = 0;

  get total(): number {
    return this.conflated + this.gaps + this.slowConsumers;
  }

  /** Counts what a member misses that is given `slice`. */
  count(slice: Slice): void {
    if (slice.kind === 'events') this.conflated += slice.conflated;
    else if (slice.gap !== undefined) this.gaps++;
  }
  /** What is to be reported to the operator now; undefined when there is nothing new, or it is too soon. */
  due(now: number): Readonly<Record<string, unknown>> | undefined {
    const { total, conflated, gaps, slowConsumers } = this;
    if (total === this.#reported || now - this.#reportedAt < REPORT_INTERVAL) return undefined;
    this.#reported = total;
    this.#reportedAt = now;
    return { event: 'room_losses', conflated, gaps, slowConsumers };
  }
}
