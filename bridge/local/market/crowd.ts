/** Takers without a name. They come at random, and more of them to a price that is out of date. */
import type { Order } from './exchange/exchange.ts';
import { lotsFor } from './exchange/pairs.ts';
import type { Venue } from './exchange/venue.ts';
import type { Random } from './random.ts';

/** Half of the takers have no opinion. At most this part of the others follows the fair value. */
const MAX_PULL = 0.4;
const SIZE_DEVIATION = 0.9;
const MICROS = 1_000_000;

export class Crowd {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random.fork('crowd');
  }

  /** A market order, if one comes to `venue` within `stepMs`. */
  order({ pair, book, fair }: Venue, stepMs: number): Order | undefined {
    const random = this.#random;
    const rate = pair.ordersPerSecond * Math.sqrt(fair.agitation);
    if (!random.chance((rate * stepMs) / 1000)) return undefined;
    const bid = book.best('buy');
    const ask = book.best('sell');
    if (bid === undefined || ask === undefined) return undefined;
    const away = (fair.ticks - (bid.ticks + ask.ticks) / 2) / (fair.ticks * pair.spread);
    const pull = Math.max(-MAX_PULL, Math.min(MAX_PULL, away * MAX_PULL));
    const side = random.chance(0.5 + pull) ? 'buy' : 'sell';
    const micros = pair.typicalOrder * random.spread(SIZE_DEVIATION) * MICROS;
    return { symbol: pair.symbol, side, lots: Math.max(1, lotsFor(pair, ask.ticks, micros)) };
  }
}
