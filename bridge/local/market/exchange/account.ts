/**
 * What a user holds, in whole numbers: cash in micros (10^-6 USDC), each token in its lots. So that
 * anybody can check it from the trades on `user:{id}`, this is all of the arithmetic:
 *
 *   a purchase    cash −= price × amount + fees.gas + fees.platform;  position += amount
 *   a sale        cash += price × amount − fees.gas − fees.platform;  position −= amount
 *   portfolio     value = price × amount at the pair's last price;  totalValue = cash + Σ value
 *   average cost  a purchase adds price × amount to the position's cost; a sale of `sold` out of
 *                 `held` takes off floor(cost × sold / held), all of it when all is sold;
 *                 pnl = value − cost. Fees are paid from cash and are in no cost.
 *
 * A price has a whole number of ticks and an amount one of lots, and their product is a whole number
 * of micros, so nothing is ever rounded but that floor. Nobody sells what he does not hold or spends
 * more than his cash.
 */
import type { Side } from './book.ts';
import { notional, type Pair } from './pairs.ts';

export interface Position {
  readonly pair: Pair;
  readonly lots: number;
  /** What the lots were bought for, in micros. */
  readonly cost: number;
}

export interface Booking {
  readonly tradeId: number;
  readonly pair: Pair;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  /** The fees of both kinds, in micros. */
  readonly fees: number;
}

export class Account {
  readonly userId: string;
  #cash: number;
  readonly #positions = new Map<string, Position>();
  #lastTradeId: number | undefined;

  constructor(userId: string, cash: number, positions: readonly Position[]) {
    this.userId = userId;
    this.#cash = cash;
    for (const position of positions) this.#positions.set(position.pair.symbol, position);
  }

  /** In micros. */
  get cash(): number {
    return this.#cash;
  }

  get positions(): Iterable<Position> {
    return this.#positions.values();
  }

  /** The id of the last trade that is booked here. */
  get lastTradeId(): number | undefined {
    return this.#lastTradeId;
  }

  held(symbol: string): number {
    return this.#positions.get(symbol)?.lots ?? 0;
  }

  /** Whether all of `trades`, of one pair and side, could be booked one after the other. */
  affords(trades: readonly Booking[]): boolean {
    let cash = this.#cash;
    let sold = 0;
    return trades.every((trade) => {
      cash += cashFlow(trade);
      if (trade.side === 'sell') sold += trade.lots;
      return cash >= 0 && (sold === 0 || sold <= this.held(trade.pair.symbol));
    });
  }

  book(trade: Booking): void {
    const { tradeId, pair, side, ticks, lots } = trade;
    if (!this.affords([trade])) throw new Error(`${this.userId} cannot afford trade ${tradeId}`);
    const { lots: held, cost } = this.#positions.get(pair.symbol) ?? { lots: 0, cost: 0 };
    const next =
      side === 'buy'
        ? { pair, lots: held + lots, cost: cost + notional(pair, ticks, lots) }
        : { pair, lots: held - lots, cost: cost - costOf(lots, held, cost) };
    if (next.lots === 0) this.#positions.delete(pair.symbol);
    else this.#positions.set(pair.symbol, next);
    this.#cash += cashFlow(trade);
    this.#lastTradeId = tradeId;
  }
}

function cashFlow({ pair, side, ticks, lots, fees }: Booking): number {
  return (side === 'buy' ? -1 : 1) * notional(pair, ticks, lots) - fees;
}

/** The product may have more than the 53 bits that a number counts exactly. */
function costOf(sold: number, held: number, cost: number): number {
  return Number((BigInt(cost) * BigInt(sold)) / BigInt(held));
}
