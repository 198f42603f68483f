/** Where one pair is traded: its book, the makers who fill it, and what has been traded so far. */
import { Book, type Level, type Side } from './book.ts';
import { FairValue } from './fair-value.ts';
import { Maker } from './maker.ts';
import { notional, type Pair } from './pairs.ts';
import type { Random } from './random.ts';
import { type DayStatistics, RollingDay } from './rolling-day.ts';

/** How often makers look at a book, per market order: most updates of a book are theirs. */
const QUOTES_PER_ORDER = 2;
/** What an order tells the others, in parts of the spread, for a typical one. */
const IMPACT = 0.25;
const MAX_IMPACT = 1;
const HISTORY_MS = 24 * 60 * 60_000;
export const HISTORY_STEP_MS = 60_000;

export class Venue {
  readonly pair: Pair;
  readonly book = new Book();
  readonly fair: FairValue;
  readonly #maker: Maker;
  readonly #day = new RollingDay();
  readonly #random: Random;
  #lastTicks: number;
  #hasTraded = false;
  #bookChanged = false;

  constructor(pair: Pair, random: Random) {
    this.pair = pair;
    this.#random = random;
    this.fair = new FairValue(pair, random.fork(`fair value of ${pair.symbol}`));
    this.#maker = new Maker(pair, random.fork(`maker of ${pair.symbol}`));
    this.#lastTicks = pair.homeTicks;
  }

  /** The last trade's price. */
  get lastTicks(): number {
    return this.#lastTicks;
  }

  get day(): DayStatistics {
    const { lastTicks } = this;
    return this.#day.statistics ?? { open: lastTicks, high: lastTicks, low: lastTicks, volume: 0 };
  }

  /** A minute of the day before the feed starts: prices and volume, but nobody saw the book. */
  rehearse(nowMs: number, shock: number): void {
    const { ordersPerSecond, typicalOrder } = this.pair;
    this.fair.advance(HISTORY_STEP_MS, shock);
    const orders = ordersPerSecond * (HISTORY_STEP_MS / 1000) * this.#random.spread(0.5);
    const ticks = Math.max(1, Math.round(this.fair.ticks));
    this.#day.record(HISTORY_MS + nowMs, ticks, Math.round(orders * typicalOrder * 1e6));
    this.#lastTicks = ticks;
  }

  /** The makers look at the book, if it is their time within `stepMs` or somebody has traded. */
  quote(stepMs: number): void {
    const { agitation, ticks } = this.fair;
    const rate = this.pair.ordersPerSecond * QUOTES_PER_ORDER * Math.sqrt(agitation);
    const isTime = this.#random.chance((rate * stepMs) / 1000);
    if (!isTime && !this.#hasTraded && this.book.best('buy') !== undefined) return;
    this.#maker.quote(this.book, ticks, agitation);
    this.#bookChanged = true;
  }

  /** A taker on `side` takes `fills`, as the book's `match` gave them. */
  trade(nowMs: number, side: Side, fills: readonly Level[]): void {
    this.book.take(side, fills);
    let micros = 0;
    for (const { ticks, lots } of fills) {
      const cost = notional(this.pair, ticks, lots);
      this.#day.record(HISTORY_MS + nowMs, ticks, cost);
      this.#lastTicks = ticks;
      micros += cost;
    }
    const size = Math.min(MAX_IMPACT, (micros / 1e6 / this.pair.typicalOrder) * IMPACT);
    this.fair.push((side === 'buy' ? 1 : -1) * this.pair.spread * size);
    this.#hasTraded = true;
    this.#bookChanged = true;
  }

  /** What has happened since this was asked the last time. */
  changes(): { readonly hasTraded: boolean; readonly bookChanged: boolean } {
    const changes = { hasTraded: this.#hasTraded, bookChanged: this.#bookChanged };
    this.#hasTraded = false;
    this.#bookChanged = false;
    return changes;
  }
}
