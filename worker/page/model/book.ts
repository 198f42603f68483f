/** The order book of the chosen pair: each event is the whole of it. */
import type { OrderBookUpdate } from '../../client/index.ts';

type Levels = OrderBookUpdate['data']['bids'];

export interface Level {
  /** As it was published. */
  readonly price: number | string;
  readonly size: number | string;
  /** The sizes up to this level. */
  readonly total: number;
}

export interface Spread {
  readonly amount: number;
  /** In parts of the middle price. */
  readonly share: number;
}

export class Book {
  #bids: readonly Level[] = [];
  #asks: readonly Level[] = [];
  changes = 0;

  /** The best first. */
  get bids(): readonly Level[] {
    return this.#bids;
  }

  /** The best first. */
  get asks(): readonly Level[] {
    return this.#asks;
  }

  /** Undefined as long as a side is empty. */
  get spread(): Spread | undefined {
    const [bid] = this.#bids;
    const [ask] = this.#asks;
    if (bid === undefined || ask === undefined) return undefined;
    const amount = Number(ask.price) - Number(bid.price);
    return { amount, share: amount / ((Number(ask.price) + Number(bid.price)) / 2) };
  }

  update({ data }: OrderBookUpdate): void {
    this.#bids = summed(data.bids);
    this.#asks = summed(data.asks);
    this.changes++;
  }

  clear(): void {
    this.#bids = [];
    this.#asks = [];
    this.changes++;
  }
}

function summed(levels: Levels): Level[] {
  let total = 0;
  return levels.map(([price, size]) => {
    total += Number(size);
    return { price, size, total };
  });
}
