/**
 * Trades summed up by the time in which they happened. They may come in any order, the live ones before
 * those of the history: what opens and what closes a candle is decided by their numbers.
 */
import type { TradeNotification } from '../../client/index.ts';

export const CANDLE_SECONDS = 5;
/** Forty minutes. */
const MOST_CANDLES = 500;

export interface Candle {
  /** Unix seconds. */
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly openSeq: number;
  readonly closeSeq: number;
}

export class Candles {
  readonly #candles = new Map<number, Candle>();
  #newest = 0;
  #rebuilds = 0;
  changes = 0;

  /** How often anything but the newest candle has changed. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  /** Undefined before the first trade. */
  get newest(): Candle | undefined {
    return this.#candles.get(this.#newest);
  }

  /** The oldest first. */
  get all(): readonly Candle[] {
    return [...this.#candles.values()].sort((a, b) => a.time - b.time);
  }

  add({ timestamp, data }: TradeNotification, seq: number): void {
    const seconds = Math.floor(timestamp / 1_000);
    const time = seconds - (seconds % CANDLE_SECONDS);
    const price = Number(data.price);
    const before = this.#candles.get(time);
    this.#candles.set(
      time,
      before === undefined ? begun(time, price, seq) : grown(before, price, seq),
    );
    if (time < this.#newest) this.#rebuilds++;
    this.#newest = Math.max(this.#newest, time);
    if (before === undefined) this.#trim();
    this.changes++;
  }

  clear(): void {
    this.#candles.clear();
    this.#newest = 0;
    this.#rebuilds++;
    this.changes++;
  }

  #trim(): void {
    if (this.#candles.size <= MOST_CANDLES) return;
    this.#candles.delete(Math.min(...this.#candles.keys()));
    this.#rebuilds++;
  }
}

function begun(time: number, price: number, seq: number): Candle {
  return { time, open: price, high: price, low: price, close: price, openSeq: seq, closeSeq: seq };
}

function grown(candle: Candle, price: number, seq: number): Candle {
  return {
    ...candle,
    high: Math.max(candle.high, price),
    low: Math.min(candle.low, price),
    ...(seq < candle.openSeq && { open: price, openSeq: seq }),
    ...(seq > candle.closeSeq && { close: price, closeSeq: seq }),
  };
}
