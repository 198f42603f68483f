/** An account marked to market: what a `portfolio_update` shows. Its arithmetic is account.ts's. */
import type { PortfolioUpdate } from '../../../../worker/protocol/events/event-shapes.ts';
import type { Account } from '../exchange/account.ts';
import { money, percent } from '../exchange/decimal.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { amountOf, notional, priceOf } from '../exchange/pairs.ts';

export class Portfolio {
  readonly #account: Account;
  readonly #exchange: Exchange;
  /** What it was worth when the feed began, in micros. */
  readonly #opening: number;

  readonly #openedAt: number;

  /** @param openedAt Unix ms: the account's trades are those since then. */
  constructor(account: Account, exchange: Exchange, openedAt: number) {
    this.#account = account;
    this.#openedAt = openedAt;
    this.#exchange = exchange;
    this.#opening = this.#value();
  }

  /**
   * `lastTradeId` names the newest trade that is in it: trades come by another topic, and may reach
   * `user:{id}` before or after the portfolio that they led to. `openedAt` changes when the feed has
   * been started again: the account is then what it was at its opening, and the sums begin anew.
   */
  data(): PortfolioUpdate['data'] {
    const { cash, lastTradeId } = this.#account;
    const total = this.#value();
    const change = total - this.#opening;
    return {
      totalValue: money(total),
      totalValueChange: money(change),
      totalValueChangePercent: percent(change, this.#opening),
      cash: money(cash),
      positions: Array.from(this.#account.positions, ({ pair, lots, cost }) => {
        const price = this.#exchange.venue(pair.symbol).lastTicks;
        const value = notional(pair, price, lots);
        return {
          symbol: pair.symbol,
          amount: amountOf(pair, lots),
          price: priceOf(pair, price),
          value: money(value),
          cost: money(cost),
          pnl: money(value - cost),
          pnlPercent: percent(value - cost, cost),
        };
      }),
      openedAt: this.#openedAt,
      ...(lastTradeId !== undefined && { lastTradeId: String(lastTradeId) }),
    };
  }

  #value(): number {
    let total = this.#account.cash;
    for (const { pair, lots } of this.#account.positions) {
      total += notional(pair, this.#exchange.venue(pair.symbol).lastTicks, lots);
    }
    return total;
  }
}
