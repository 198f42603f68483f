/** What members were not given, counted since the object woke: no loss is silent. */
import type { Slice } from './slice.ts';

export class Losses {
  /** Entries that were left out for newer ones of their key, summed over the members. */
  conflated = 0;
  gaps = 0;
  slowConsumers = 0;

  get total(): number {
    return this.conflated + this.gaps + this.slowConsumers;
  }

  /** Counts what a member misses that is given `slice`. */
  count(slice: Slice): void {
    if (slice.kind === 'events') this.conflated += slice.conflated;
    else if (slice.gap !== undefined) this.gaps++;
  }
}
