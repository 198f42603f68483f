/**
 * Which partitions wait for a transaction. Nothing behind the beginning of an open transaction can be
 * read, also of other producers, so a producer that hangs in one stalls the partition for all. Kafka
 * aborts a transaction after its producer's time-out: a minute by default, 15 minutes at most.
 */
import type { PartitionLag } from './lag.ts';
import { type Partition, partitionKey } from './record.ts';

export interface OpenTransaction extends Partition {
  /** The last stable offset, in decimal. */
  readonly stable: string;
  /** For how long it has been seen at the same place, with records behind it. */
  readonly seconds: number;
}

export class OpenTransactions {
  readonly #now: () => number;
  #seen = new Map<string, { stable: string; sinceMs: number }>();

  /** @param now in ms, of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a survey of all partitions of interest, and forgets the others. */
  observe(lags: readonly PartitionLag[]): OpenTransaction[] {
    const now = this.#now();
    const before = this.#seen;
    this.#seen = new Map();
    const open: OpenTransaction[] = [];
    for (const lag of lags) {
      const { topic, partition, stable, hidden } = lag;
      if (!hidden) continue;
      const key = partitionKey(lag);
      const known = before.get(key);
      const sinceMs = known?.stable === stable ? known.sinceMs : now;
      this.#seen.set(key, { stable, sinceMs });
      open.push({ topic, partition, stable, seconds: (now - sinceMs) / 1000 });
    }
    return open;
  }
}
