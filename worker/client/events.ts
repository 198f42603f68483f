/** The events as clients receive them; `worker/protocol/events.ts` says what each may hold. */
import type {
  Notification,
  OrderBookUpdate,
  PortfolioUpdate,
  PriceUpdate,
  SystemAlert,
  TradeNotification,
} from '../protocol/events.ts';

export type { OrderBookUpdate, PortfolioUpdate, PriceUpdate, SystemAlert, TradeNotification };

/** An event of any type that has no topic of its own, such as `price_alert`. */
export type CustomNotification = Omit<Notification, 'target' | 'timestamp'> & {
  readonly timestamp: number;
};

export interface EventsByType {
  readonly price_update: PriceUpdate;
  readonly order_book_update: OrderBookUpdate;
  readonly trade_notification: TradeNotification;
  readonly portfolio_update: PortfolioUpdate;
  readonly system_alert: SystemAlert;
}

export type GatewayEvent = EventsByType[keyof EventsByType] | CustomNotification;

/** The event of type `Type`. */
export type EventOfType<Type extends string> = Type extends keyof EventsByType
  ? EventsByType[Type]
  : CustomNotification;

/** The events that room `Room` holds, as far as its name tells. */
export type EventOfRoom<Room extends string> = string extends Room
  ? GatewayEvent
  : Room extends 'price_updates' | `price:${string}`
    ? PriceUpdate
    : Room extends `orderbook:${string}`
      ? OrderBookUpdate
      : Room extends `trade:${string}`
        ? TradeNotification
        : Room extends 'system'
          ? SystemAlert | CustomNotification
          : Room extends `user:${string}`
            ? TradeNotification | PortfolioUpdate | SystemAlert | CustomNotification
            : CustomNotification;

/** Where an event stood. */
export interface EventInfo {
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
  /** Whether it is part of a snapshot: the state at some time, instead of what happened since. */
  readonly snapshot: boolean;
}
