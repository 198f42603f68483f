/** The latest trades of the chosen pair, the newest first. */
import type { TradeNotification } from '../../client/index.ts';

/** As many rows as the page has room for. */
export const MOST_TRADES = 16;

export interface Trade {
  readonly seq: number;
  readonly timestamp: number;
  readonly data: TradeNotification['data'];
}

export class Tape {
  #trades: Trade[] = [];
  #count = 0;
  changes = 0;

  get trades(): readonly Trade[] {
    return this.#trades;
  }

  /** How many have come since the pair was chosen. */
  get count(): number {
    return this.#count;
  }

  add({ data, timestamp }: TradeNotification, seq: number): void {
    this.#trades.unshift({ seq, timestamp, data });
    this.#trades.length = Math.min(this.#trades.length, MOST_TRADES);
    this.#count++;
    this.changes++;
  }

  clear(): void {
    this.#trades = [];
    this.#count = 0;
    this.changes++;
  }
}
