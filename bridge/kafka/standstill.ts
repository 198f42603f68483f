/** For how long something about each partition has been as it is, such as its last stable offset. */
import { type Partition, partitionKey } from './record.ts';

export class Standstill {
  readonly #now: () => number;
  #seen = new Map<string, { value: string; sinceMs: number }>();

  /** @param now in ms, of a clock that only goes forward. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a survey of all partitions of interest, and forgets the others. Returns seconds by partition. */
  observe<Of extends Partition>(
    partitions: readonly Of[],
    read: (partition: Of) => string,
  ): Map<string, number> {
    const now = this.#now();
    const before = this.#seen;
    this.#seen = new Map();
    for (const partition of partitions) {
      const key = partitionKey(partition);
      const value = read(partition);
      const known = before.get(key);
      this.#seen.set(key, { value, sinceMs: known?.value === value ? known.sinceMs : now });
    }
    return new Map([...this.#seen].map(([key, { sinceMs }]) => [key, (now - sinceMs) / 1000]));
  }
}
