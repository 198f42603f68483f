/**
 * How long events take from hop to hop: from the service that publishes to the paint of the page. The
 * times are of the clocks of several machines, so a hop may seem to take less than no time.
 */
import type { Entry } from './frame.ts';
import { Histogram } from './histogram.ts';

/** Each by where it ends; `total` is from the publisher to the paint. */
export const HOPS = ['kafka', 'bridge', 'worker', 'room', 'client', 'paint', 'total'] as const;
export type Hop = (typeof HOPS)[number];
/** Those between two stations of a trace, in their order. */
const TRACED_HOPS = HOPS.slice(0, 5);

/** More in one frame are not measured one by one. */
const MOST_WAITING = 500;

interface Waiting {
  /** Unix ms. */
  readonly publishedAt: number;
  /** Of a clock that never goes back, ms. */
  readonly receivedAt: number;
}

export class Latency {
  readonly hops: Readonly<Record<Hop, Histogram>> = {
    kafka: new Histogram(),
    bridge: new Histogram(),
    worker: new Histogram(),
    room: new Histogram(),
    client: new Histogram(),
    paint: new Histogram(),
    total: new Histogram(),
  };
  #waiting: Waiting[] = [];

  /** @param clock Unix ms, and @param now the same moment of a clock that never goes back. */
  received({ event, times }: Entry, clock: number, now: number): void {
    const stations = [event.timestamp, ...(times ?? []), clock];
    for (const [index, hop] of (times === undefined ? [] : TRACED_HOPS).entries()) {
      const from = stations[index] ?? null;
      const to = stations[index + 1] ?? null;
      if (from !== null && to !== null) this.hops[hop].add(to - from, now);
    }
    if (this.#waiting.length < MOST_WAITING) {
      this.#waiting.push({ publishedAt: event.timestamp, receivedAt: now });
    }
  }

  /** What has been received is on the screen. */
  painted(clock: number, now: number): void {
    for (const { publishedAt, receivedAt } of this.#waiting) {
      this.hops.paint.add(now - receivedAt, now);
      this.hops.total.add(clock - publishedAt, now);
    }
    this.#waiting = [];
  }

  /** Nobody looks, so nothing is painted. */
  hidden(): void {
    this.#waiting = [];
  }
}
