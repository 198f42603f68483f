/** Publishes the events of the market and its users, each by its topic. */
import type { EventType } from '../../worker/protocol/events/event-shapes.ts';
import { EVENT_TOPICS } from '../../worker/protocol/events/topics.ts';
import type {
  AlertData,
  DEXEvent,
  EventMetadata,
  OrderBookData,
  PortfolioData,
  PriceData,
  TradeData,
} from './events.ts';
import type { EventProducer } from './producer.ts';
import { chooseProducer, type PublisherOptions } from './publisher-options.ts';

/**
 * Publishes price, order book, trade and portfolio updates and system alerts.
 *
 * Data is sent as `JSON.stringify` makes it, with two differences: a bigint becomes a decimal string,
 * and a number that is not finite is refused (`data_invalid`) instead of becoming `null`. Every
 * publishing method resolves once Kafka (or the gateway) has the event, and throws a `PublishError`
 * when it has not: with the gateway's code when the event is at fault (`data_invalid`,
 * `symbol_invalid`, …), else `not_connected`, `kafka_unavailable`, `publisher_busy`, … After
 * `kafka_unavailable` the event may have been written: to publish it again may send it twice.
 *
 * @example
 * import { DEXEventService } from '@moonx-farm/websocket-gateway';
 *
 * const events = new DEXEventService();
 * await events.initialize();
 * await events.publishPriceUpdate(
 *   'BTC-USDC',
 *   { price: 45000.5, change: 125.3, volume: 1234567.89 },
 *   { priority: 'high', source: 'price-service' },
 * );
 * await events.shutdown();
 */
export class DEXEventService {
  readonly #producer: EventProducer;
  readonly #ownsProducer: boolean;
  readonly #now: () => number;

  /** @throws {ConfigError} naming the variable that cannot be used. */
  constructor(options: PublisherOptions = {}) {
    const { producer, isOwn } = chooseProducer(options);
    this.#producer = producer;
    this.#ownsProducer = isOwn;
    this.#now = options.now ?? Date.now;
  }

  /** Connects. Call it before you publish anything. @throws {PublishError | ConfigError} */
  async initialize(): Promise<void> {
    await this.#producer.connect();
  }

  /** Publishes to `price:{symbol}` and `price_updates`. @throws {PublishError} */
  publishPriceUpdate<Data extends PriceData>(
    symbol: string,
    data: Data,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    return this.#publish({ type: 'price_update', symbol, data, metadata });
  }

  /**
   * Publishes to `orderbook:{symbol}`. Each event is the whole book, never a list of changes.
   * @throws {PublishError}
   */
  publishOrderBookUpdate<Data extends OrderBookData>(
    symbol: string,
    data: Data,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    const event = { type: 'order_book_update', symbol, data, metadata } as const;
    return this.#publish(event);
  }

  /**
   * Publishes to `trade:{symbol}`, and with a `userId` also to that user. The public then sees only
   * tradeId, price, amount and side. @throws {PublishError}
   */
  publishTradeNotification<Data extends TradeData>(
    symbol: string,
    data: Data,
    userId?: string | null,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    const event = { type: 'trade_notification', symbol, userId, data, metadata } as const;
    return this.#publish(event);
  }

  /** Publishes to that user. @throws {PublishError} */
  publishPortfolioUpdate<Data extends PortfolioData>(
    userId: string,
    data: Data,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    return this.#publish({ type: 'portfolio_update', userId, data, metadata });
  }

  /**
   * Publishes to every connected client, whatever rooms it is in, and until the alert expires to each
   * that connects later. With a `userId` it goes to that user only: give it for what concerns one
   * user, such as a price alert. @throws {PublishError}
   */
  publishSystemAlert<Data extends AlertData>(
    data: Data,
    metadata?: EventMetadata | null,
    userId?: string | null,
  ): Promise<void> {
    return this.#publish({ type: 'system_alert', userId, data, metadata });
  }

  /** Sends what waits and disconnects, unless the producer is shared. */
  async shutdown(): Promise<void> {
    if (this.#ownsProducer) await this.#producer.disconnect();
  }

  #publish(event: Omit<DEXEvent, 'timestamp'> & { readonly type: EventType }): Promise<void> {
    const { name } = EVENT_TOPICS[event.type];
    return this.#producer.publishEvent(name, { ...event, timestamp: this.#now() });
  }
}
