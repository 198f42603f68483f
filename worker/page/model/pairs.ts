/** The pairs of the market with their last prices. */
import type { PriceUpdate } from '../../client/index.ts';
import { digitsOf } from './digits.ts';

/** As many rows as the page has room for. */
export const MOST_PAIRS = 12;

export interface PairRow {
  readonly symbol: string;
  readonly data: PriceUpdate['data'];
  /** Where the price last moved to: 1 up, -1 down. */
  readonly direction: number;
  /** How often the price has moved. */
  readonly moves: number;
  /** The most digits after the point that its price has had. */
  readonly digits: number;
}

export class Pairs {
  readonly #rows = new Map<string, PairRow>();
  #shown: readonly string[] = [];
  changes = 0;

  /** The rows that are shown, each at its place for good. */
  get rows(): readonly PairRow[] {
    return this.#shown.flatMap((symbol) => this.#rows.get(symbol) ?? []);
  }

  /** How many pairs there is no room for. */
  get leftOut(): number {
    return this.#rows.size - this.#shown.length;
  }

  update({ symbol, data }: PriceUpdate): void {
    const before = this.#rows.get(symbol);
    const move =
      before === undefined ? 0 : Math.sign(Number(data.price) - Number(before.data.price));
    this.#rows.set(symbol, {
      symbol,
      data,
      direction: move || (before?.direction ?? 0),
      moves: (before?.moves ?? 0) + Math.abs(move),
      digits: Math.max(before?.digits ?? 0, digitsOf(data.price)),
    });
    if (before === undefined) this.#place();
    this.changes++;
  }

  /** The most traded first, as long as rows are free; a row that is drawn does not jump. */
  #place(): void {
    if (this.#shown.length === MOST_PAIRS) return;
    const volumeOf = ({ data }: PairRow) => Number(data.volume ?? 0);
    const rows = [...this.#rows.values()].sort((a, b) => volumeOf(b) - volumeOf(a));
    this.#shown = rows.slice(0, MOST_PAIRS).map(({ symbol }) => symbol);
  }
}
