/** Where one pair is traded: its book, the makers who fill it, and what has been traded so far. */

import type { Random } from '../random.ts';
import { Book, type Level, type Side } from './book.ts';
import { FairValue } from './fair-value.ts';
import { Maker } from './maker.ts';
import { notional, type Pair } from './pairs.ts';

/** How often makers look at a book, per market order: most updates of a book are theirs. */
const QUOTES_PER_ORDER = 2;
/** How much a typical order moves the fair value, in parts of the spread. */
const IMPACT = 0.25;
const MAX_IMPACT = 1;
const DAY_SECONDS = 24 * 60 * 60;

/** A day of trading: prices in ticks, volume in micros. */
export interface Day {
  readonly open: number;
  high: number;
  low: number;
  volume: number;
}

export class Venue {
  readonly pair: Pair;
  readonly book = new Book();
  readonly fair: FairValue;
  readonly #maker: Maker;
  readonly #day: Day;
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
    this.#day = yesterday(pair, random);
  }

  /** The last trade's price. */
  get lastTicks(): number {
    return this.#lastTicks;
  }

  /** The last 24 hours, as far as anybody knows: yesterday is made up when the feed begins. */
  get day(): Day {
    return this.#day;
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
  trade(side: Side, fills: readonly Level[]): void {
    this.book.take(side, fills);
    let micros = 0;
    for (const { ticks, lots } of fills) {
      const cost = notional(this.pair, ticks, lots);
      this.#day.high = Math.max(this.#day.high, ticks);
      this.#day.low = Math.min(this.#day.low, ticks);
      this.#day.volume += cost;
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

/** A day that one believes, which ended at the pair's home price. */
function yesterday(
  { homeTicks, dailyVolatility, ordersPerSecond, typicalOrder }: Pair,
  random: Random,
): Day {
  const away = () => homeTicks * Math.exp(dailyVolatility * random.normal());
  const open = Math.max(1, Math.round(away()));
  const reached = [homeTicks, open, Math.round(away())];
  return {
    open,
    high: Math.max(...reached),
    low: Math.max(1, Math.min(...reached)),
    volume:
      Math.round(ordersPerSecond * DAY_SECONDS * typicalOrder * random.between(0.7, 1.3)) * 1e6,
  };
}
