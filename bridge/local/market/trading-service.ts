/**
 * The guide's trading service: executes orders, tells of each trade, and of what it made of a user's
 * portfolio. What a call publishes is on its way before the call first waits, so that events keep
 * the order in which things happened, however long Kafka takes.
 */
import { decimalText, MONEY_DIGITS } from './decimal.ts';
import type { EventService } from './event-service.ts';
import type { Exchange, Order, Trade } from './exchange.ts';
import { amountOf, priceOf } from './pairs.ts';
import { Portfolio } from './portfolio.ts';

export interface TradeResult {
  /** None, when the order was not filled. */
  readonly trades: readonly Trade[];
}

export class TradingService {
  readonly #events: EventService;
  readonly #exchange: Exchange;
  readonly #portfolios: ReadonlyMap<string, Portfolio>;
  readonly #now: () => number;

  constructor(events: EventService, exchange: Exchange, now: () => number = Date.now) {
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

  async initialize(): Promise<void> {
    await this.#events.initialize();
  }

  /** Executes `tradeOrder` at once; resolves when Kafka has all that it led to. */
  async executeTrade(tradeOrder: Order): Promise<TradeResult> {
    const { symbol, userId } = tradeOrder;
    const trades = this.#exchange.execute(tradeOrder);
    const published = trades.map((trade) =>
      this.#events.publishTradeNotification(symbol, tradeData(trade), userId, {
        priority: 'high',
        source: 'trading-service',
      }),
    );
    if (userId !== undefined && trades.length > 0) {
      published.push(this.#updatePortfolioAfterTrade(userId));
    }
    await Promise.all(published);
    return { trades };
  }

  /** Publishes what `userId` owns at the prices of now. */
  async markToMarket(userId: string): Promise<void> {
    const portfolio = this.#portfolios.get(userId);
    if (portfolio === undefined) throw new Error(`${userId} has no portfolio`);
    await this.#events.publishPortfolioUpdate(
      userId,
      { ...portfolio.data(), lastUpdated: this.#now() },
      { priority: 'medium', source: 'portfolio-service' },
    );
  }

  async #updatePortfolioAfterTrade(userId: string): Promise<void> {
    await this.markToMarket(userId);
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
