/**
 * The events as they are read, written out. The schemas of `events.ts` decide what an event may hold;
 * these types say the same without the schema library, because they are published with the SDKs, whose
 * users may have a compiler that is older than the library's types. The compiler checks that the two
 * agree: `events.ts` says one half of it, and `test/protocol/event-shapes.test.ts` the other.
 *
 * Fields beyond those named are allowed. An optional field may also be null, which means none.
 */

/** A number as JSON number or decimal string: `45000.50` or `"45000.50"`. */
export type Decimal = number | string;
/** One level of a book side: `[price, size]`. */
export type PriceLevel = [Decimal, Decimal];
/** How soon an event has to be shown. */
export type Priority = 'low' | 'medium' | 'high';

export interface EventMetadata {
  priority?: Priority | null | undefined;
  /** The service that has published the event. */
  source?: string | null | undefined;
  /** The version of the event's schema. */
  version?: string | null | undefined;
}

interface CommonFields {
  /** When it happened, Unix ms. */
  timestamp: number;
  metadata?: EventMetadata | null | undefined;
}

export interface PriceUpdate extends CommonFields {
  type: 'price_update';
  symbol: string;
  data: {
    price: Decimal;
    change?: Decimal | null | undefined;
    changePercent?: Decimal | null | undefined;
    volume?: Decimal | null | undefined;
    high24h?: Decimal | null | undefined;
    low24h?: Decimal | null | undefined;
    /** Unix ms. */
    lastUpdated?: number | null | undefined;
    [field: string]: unknown;
  };
}

/** The whole book as it is, never a list of changes. */
export interface OrderBookUpdate extends CommonFields {
  type: 'order_book_update';
  symbol: string;
  data: {
    bids: PriceLevel[];
    asks: PriceLevel[];
    /** Unix ms. */
    lastUpdated?: number | null | undefined;
    [field: string]: unknown;
  };
}

export interface TradeNotification extends CommonFields {
  type: 'trade_notification';
  symbol: string;
  /** The user whose trade it is, in that user's own room only. */
  userId?: string | null | undefined;
  data: {
    tradeId: string;
    price: Decimal;
    amount: Decimal;
    side: 'buy' | 'sell';
    txHash?: string | null | undefined;
    gasUsed?: Decimal | null | undefined;
    fees?:
      | {
          gas?: Decimal | null | undefined;
          platform?: Decimal | null | undefined;
          [field: string]: unknown;
        }
      | null
      | undefined;
    [field: string]: unknown;
  };
}

export interface PortfolioUpdate extends CommonFields {
  type: 'portfolio_update';
  userId: string;
  data: {
    totalValue: Decimal;
    totalValueChange?: Decimal | null | undefined;
    totalValueChangePercent?: Decimal | null | undefined;
    positions?:
      | {
          symbol: string;
          amount?: Decimal | null | undefined;
          value?: Decimal | null | undefined;
          pnl?: Decimal | null | undefined;
          pnlPercent?: Decimal | null | undefined;
          [field: string]: unknown;
        }[]
      | null
      | undefined;
    /** Unix ms. */
    lastUpdated?: number | null | undefined;
    [field: string]: unknown;
  };
}

export interface SystemAlert extends CommonFields {
  type: 'system_alert';
  /** The one user who is to see it. */
  userId?: string | null | undefined;
  data: {
    alertId?: string | null | undefined;
    level: 'info' | 'warning' | 'error';
    title: string;
    message: string;
    category?: string | null | undefined;
    actionUrl?: string | null | undefined;
    actionText?: string | null | undefined;
    /** Unix ms after which nobody is sent the alert. */
    expiresAt?: number | null | undefined;
    [field: string]: unknown;
  };
}

/** The event of each type that has a topic of its own. */
export interface EventsByType {
  readonly price_update: PriceUpdate;
  readonly order_book_update: OrderBookUpdate;
  readonly trade_notification: TradeNotification;
  readonly portfolio_update: PortfolioUpdate;
  readonly system_alert: SystemAlert;
}
/** The type of an event that has a topic of its own. */
export type EventType = keyof EventsByType;

/** The envelope of the `notifications` topic. `target` says who gets it, and goes no further. */
export interface Notification {
  type: string;
  target: { type: 'user'; id: string } | { type: 'room'; id: string } | { type: 'all' };
  category?: string | null | undefined;
  data: { [field: string]: unknown };
  timestamp?: number | null | undefined;
  metadata?: EventMetadata | null | undefined;
}
