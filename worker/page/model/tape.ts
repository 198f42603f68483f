/** The latest trades of the chosen pair, the newest first. */
import type { TradeNotification } from '../../client/index.ts';

/** As many rows as the page has room for. */
export const MOST_TRADES = 24;

export interface Trade {
  readonly seq: number;
  readonly timestamp: number;
  readonly data: TradeNotification['data'];
}

export class Tape {
  #trades: Trade[] = [];
  #leftOut = 0;
  changes = 0;

  get trades(): readonly Trade[] {
    return this.#trades;
  }

  /** How many older ones have come, and are not shown any more. */
  get leftOut(): number {
    return this.#leftOut;
  }

  add({ data, timestamp }: TradeNotification, seq: number): void {
    this.#trades.unshift({ seq, timestamp, data });
    if (this.#trades.length > MOST_TRADES) {
      this.#trades.length = MOST_TRADES;
      this.#leftOut++;
    }
    this.changes++;
  }

  clear(): void {
    this.#trades = [];
    this.#leftOut = 0;
    this.changes++;
  }
}
