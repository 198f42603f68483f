/** Executes orders, and publishes each trade and what it made of a user's portfolio. */
import type { DEXEventService } from '../../../publisher/dex-event-service.ts';
import { decimalText, MONEY_DIGITS } from '../exchange/decimal.ts';
import type { Exchange, Order, Trade } from '../exchange/exchange.ts';
import { amountOf, priceOf } from '../exchange/pairs.ts';
import { Portfolio } from './portfolio.ts';

type TradingEvents = Pick<DEXEventService, 'publishTradeNotification' | 'publishPortfolioUpdate'>;

export class TradingService {
  readonly #events: TradingEvents;
  readonly #exchange: Exchange;
  readonly #portfolios: ReadonlyMap<string, Portfolio>;
  readonly #now: () => number;

  constructor(events: TradingEvents, exchange: Exchange, now: () => number) {
    this.#events = events;
    this.#exchange = exchange;
    this.#now = now;
    const openedAt = now();
    this.#portfolios = new Map(
      Array.from(exchange.accounts, (account) => [
        account.userId,
        new Portfolio(account, exchange, openedAt),
      ]),
    );
  }

  executeTrade(tradeOrder: Order): void {
    const { symbol, userId } = tradeOrder;
    const trades = this.#exchange.execute(tradeOrder);
    for (const trade of trades) {
      void this.#events.publishTradeNotification(symbol, tradeData(trade), userId, {
        priority: 'high',
        source: 'trading-service',
      });
    }
    if (userId !== undefined && trades.length > 0) this.markToMarket(userId);
  }

  /** Publishes what `userId` owns at the prices of now. */
  markToMarket(userId: string): void {
    const portfolio = this.#portfolios.get(userId);
    if (portfolio === undefined) throw new Error(`${userId} has no portfolio`);
    void this.#events.publishPortfolioUpdate(
      userId,
      { ...portfolio.data(), lastUpdated: this.#now() },
      { priority: 'medium', source: 'portfolio-service' },
    );
  }
}

function tradeData({ tradeId, pair, side, ticks, lots, settlement }: Trade) {
  return {
    tradeId: String(tradeId),
    price: priceOf(pair, ticks),
    amount: amountOf(pair, lots),
    side,
    ...(settlement && {
      txHash: settlement.txHash,
      gasUsed: String(settlement.gasUsed),
      fees: {
        gas: decimalText(settlement.gasFee, MONEY_DIGITS),
        platform: decimalText(settlement.platformFee, MONEY_DIGITS),
      },
    }),
  };
}
