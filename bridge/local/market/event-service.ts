/** What the feed needs of a publisher of events: `DEXEventService` of bridge/publisher has it. */
import type {
  EventMetadata,
  OrderBookUpdate,
  PortfolioUpdate,
  PriceUpdate,
  SystemAlert,
  TradeNotification,
} from '../../../worker/protocol/events.ts';

/** Each promise resolves when Kafka has the event; calls side by side keep their order. */
export interface EventService {
  initialize(): Promise<unknown>;
  publishPriceUpdate(
    symbol: string,
    data: PriceUpdate['data'],
    metadata?: EventMetadata,
  ): Promise<unknown>;
  publishOrderBookUpdate(
    symbol: string,
    data: OrderBookUpdate['data'],
    metadata?: EventMetadata,
  ): Promise<unknown>;
  publishTradeNotification(
    symbol: string,
    data: TradeNotification['data'],
    userId?: string,
    metadata?: EventMetadata,
  ): Promise<unknown>;
  publishPortfolioUpdate(
    userId: string,
    data: PortfolioUpdate['data'],
    metadata?: EventMetadata,
  ): Promise<unknown>;
  publishSystemAlert(
    data: SystemAlert['data'],
    metadata?: EventMetadata,
    userId?: string,
  ): Promise<unknown>;
  shutdown(): Promise<unknown>;
}
