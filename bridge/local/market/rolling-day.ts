/** The last 24 hours of trading in a pair, in buckets of five minutes: bounded, whatever happens. */

const BUCKET_MS = 5 * 60_000;
const BUCKETS = 288;

interface Bucket {
  readonly index: number;
  readonly open: number;
  high: number;
  low: number;
  /** In micros. */
  volume: number;
}

export interface DayStatistics {
  /** The price a day ago, in ticks, or the first one known. */
  readonly open: number;
  readonly high: number;
  readonly low: number;
  /** Traded, in micros. */
  readonly volume: number;
}

export class RollingDay {
  /** Oldest first, the current one last. */
  readonly #buckets: Bucket[] = [];
  /** Of all buckets but the current one, so that a trade need not look at 288. */
  #past: DayStatistics | undefined;

  /** A trade at market time `ms`; times never decrease. */
  record(ms: number, ticks: number, micros: number): void {
    const index = Math.floor(ms / BUCKET_MS);
    const current = this.#buckets.at(-1);
    if (current?.index === index) {
      current.high = Math.max(current.high, ticks);
      current.low = Math.min(current.low, ticks);
      current.volume += micros;
      return;
    }
    const oldest = this.#buckets.findIndex((bucket) => bucket.index > index - BUCKETS);
    this.#buckets.splice(0, oldest === -1 ? this.#buckets.length : oldest);
    this.#past = summary(this.#buckets);
    this.#buckets.push({ index, open: ticks, high: ticks, low: ticks, volume: micros });
  }

  /** Up to the last trade; undefined before the first. */
  get statistics(): DayStatistics | undefined {
    const current = this.#buckets.at(-1);
    if (current === undefined || this.#past === undefined) return current;
    const { open, high, low, volume } = this.#past;
    return {
      open,
      high: Math.max(high, current.high),
      low: Math.min(low, current.low),
      volume: volume + current.volume,
    };
  }
}

function summary(buckets: readonly Bucket[]): DayStatistics | undefined {
  const [first] = buckets;
  if (first === undefined) return undefined;
  let { high, low } = first;
  let volume = 0;
  for (const bucket of buckets) {
    high = Math.max(high, bucket.high);
    low = Math.min(low, bucket.low);
    volume += bucket.volume;
  }
  return { open: first.open, high, low, volume };
}
