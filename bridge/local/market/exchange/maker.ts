/** Market makers: they keep both sides of a book filled around what they think a token is worth. */

import type { Random } from '../random.ts';
import { type Book, DEPTH, type Side } from './book.ts';
import { lotsFor, type Pair } from './pairs.ts';

const MICROS = 1_000_000;
/** The gap between two levels, in spreads. */
const GAP = 0.7;
/** How uneven the sizes of levels are. */
const SIZE_DEVIATION = 0.8;
/** The size of a level, in typical orders: so that some orders take two or three levels. */
const LEVEL_SIZE = 1.1;
/** The levels behind the best one are larger, each by so much. */
const DEEPER = 0.12;
/** How far from the best price an order may be left, in gaps. */
const REACH = DEPTH * 1.6;
/** Orders near the best price are looked after at each quote. */
const TENDED_LEVELS = 6;
/** A new order would be pointless nearer than this to one that is there, in gaps. */
const CROWDED = 0.5;
/** How many levels of a side change their size at a quote, at most. */
const MAX_RESIZED = 3;

export class Maker {
  readonly #pair: Pair;
  readonly #random: Random;

  constructor(pair: Pair, random: Random) {
    this.#pair = pair;
    this.#random = random;
  }

  /** Moves the quotes of `book` to around `fairTicks`; the spread grows with `agitation`. */
  quote(book: Book, fairTicks: number, agitation: number): void {
    const spread = fairTicks * this.#pair.spread * Math.sqrt(agitation);
    const half = Math.max(0.5, spread / 2);
    const gap = Math.max(1, spread * GAP);
    const bid = Math.max(1, Math.floor(fairTicks - half));
    const ask = Math.max(bid + 1, Math.ceil(fairTicks + half));
    // Both sides are withdrawn before one is placed: a quote that is out of date blocks nobody.
    book.withdraw('buy', ({ ticks }) => ticks <= bid && ticks >= bid - gap * REACH);
    book.withdraw('sell', ({ ticks }) => ticks >= ask && ticks <= ask + gap * REACH);
    this.#tend(book, 'buy', bid, gap);
    this.#tend(book, 'sell', ask, gap);
  }

  #tend(book: Book, side: Side, best: number, gap: number): void {
    const random = this.#random;
    for (let count = random.integer(0, MAX_RESIZED); count > 0; count--) {
      const level = book.side(side)[random.integer(0, DEPTH - 1)];
      if (level !== undefined) book.place(side, level.ticks, this.#size(level.ticks, 0));
    }
    const outward = side === 'buy' ? -1 : 1;
    let ticks = best;
    for (let depth = 0; depth < TENDED_LEVELS || book.side(side).length < DEPTH; depth++) {
      if (ticks <= 0) return;
      if (!isCrowded(book, side, ticks, gap)) book.place(side, ticks, this.#size(ticks, depth));
      ticks += outward * Math.max(1, Math.round(gap * random.between(0.5, 1.5)));
    }
  }

  #size(ticks: number, depth: number): number {
    const { typicalOrder } = this.#pair;
    const size = typicalOrder * LEVEL_SIZE * (1 + depth * DEEPER);
    const micros = size * this.#random.spread(SIZE_DEVIATION) * MICROS;
    return Math.max(1, lotsFor(this.#pair, ticks, micros));
  }
}

function isCrowded(book: Book, side: Side, ticks: number, gap: number): boolean {
  return book.side(side).some((level) => Math.abs(level.ticks - ticks) < gap * CROWDED);
}
