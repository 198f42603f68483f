/**
 * What can be published. The types are wide on purpose: members beyond those named are allowed, and
 * what a value must be is judged when it is published, by the very rules of the gateway.
 */

/** A quantity: a number, a decimal string, or a bigint, which is sent as a decimal string. */
export type Amount = number | string | bigint;

/** One of `Known`, which an editor completes, or any string, which is judged when it is published. */
type Known<Values extends string> = Values | (string & {});

export interface EventMetadata {
  /** How long a gateway may hold the event back for company: not at all, 50 ms, 250 ms. */
  readonly priority?: Known<'low' | 'medium' | 'high'> | undefined;
  /** The service that publishes. At most 128 characters. */
  readonly source?: string | undefined;
  /** The version of the event's schema. At most 128 characters. */
  readonly version?: string | undefined;
}

export interface PriceData {
  readonly price: Amount;
  readonly change?: Amount | undefined;
  readonly changePercent?: Amount | undefined;
  readonly volume?: Amount | undefined;
  readonly high24h?: Amount | undefined;
  readonly low24h?: Amount | undefined;
  /** Unix ms. */
  readonly lastUpdated?: number | undefined;
}

export interface OrderBookData {
  /** `[price, size]` pairs. */
  readonly bids: readonly (readonly Amount[])[];
  readonly asks: readonly (readonly Amount[])[];
  /** Unix ms. */
  readonly lastUpdated?: number | undefined;
}

export interface TradeData {
  readonly tradeId: string;
  readonly price: Amount;
  readonly amount: Amount;
  readonly side: Known<'buy' | 'sell'>;
  readonly txHash?: string | undefined;
  readonly gasUsed?: Amount | undefined;
  readonly fees?:
    | { readonly gas?: Amount | undefined; readonly platform?: Amount | undefined }
    | undefined;
}

export interface Position {
  readonly symbol: string;
  readonly amount?: Amount | undefined;
  readonly value?: Amount | undefined;
  readonly pnl?: Amount | undefined;
  readonly pnlPercent?: Amount | undefined;
}

export interface PortfolioData {
  readonly totalValue: Amount;
  readonly totalValueChange?: Amount | undefined;
  readonly totalValueChangePercent?: Amount | undefined;
  readonly positions?: readonly Position[] | undefined;
  /** Unix ms. */
  readonly lastUpdated?: number | undefined;
}

export interface AlertData {
  readonly alertId?: string | undefined;
  readonly level: Known<'info' | 'warning' | 'error'>;
  readonly title: string;
  readonly message: string;
  readonly category?: string | undefined;
  readonly actionUrl?: string | undefined;
  readonly actionText?: string | undefined;
  /** Unix ms after which nobody is sent the alert. Without it an alert lives a day. */
  readonly expiresAt?: number | undefined;
}

export interface SwapData {
  readonly swapId: string;
  readonly fromToken?: string | undefined;
  readonly toToken?: string | undefined;
  readonly fromAmount?: Amount | undefined;
  readonly toAmount?: Amount | undefined;
  readonly txHash?: string | undefined;
  readonly gasUsed?: Amount | undefined;
  /** Unix ms. */
  readonly timestamp?: number | undefined;
}

/** An event as it stands in Kafka, on one of the five topics of the market and its users. */
export interface DEXEvent {
  readonly type: Known<
    | 'price_update'
    | 'order_book_update'
    | 'trade_notification'
    | 'portfolio_update'
    | 'system_alert'
  >;
  /** `BTC-USDC` */
  readonly symbol?: string | undefined;
  readonly userId?: string | undefined;
  readonly data: object;
  /** Unix ms. */
  readonly timestamp: number;
  readonly metadata?: EventMetadata | undefined;
}

/** Who gets a notification: one user, those in a custom room, or everybody. */
export type NotificationTarget =
  | { readonly type: 'user'; readonly id: string }
  | { readonly type: 'room'; readonly id: string }
  | { readonly type: 'all' };

/** A notification as it stands in Kafka, on the topic `notifications`. */
export interface NotificationEvent {
  readonly type: string;
  readonly target: {
    readonly type: Known<'user' | 'room' | 'all'>;
    readonly id?: string | undefined;
  };
  readonly category?: string | undefined;
  readonly data: object;
  /** Unix ms. */
  readonly timestamp?: number | undefined;
  readonly metadata?: EventMetadata | undefined;
}

/** A notification to be published. `type` is snake_case and none of the five types of `DEXEvent`. */
export interface Notification {
  readonly type: string;
  readonly target: {
    readonly type: Known<'user' | 'room' | 'all'>;
    readonly id?: string | undefined;
  };
  readonly data: object;
  readonly metadata?: EventMetadata | undefined;
  /** What kind of notification a room's members get: `trading`. At most 128 characters. */
  readonly category?: string | undefined;
  /** When it happened, Unix ms; now, unless given. */
  readonly timestamp?: number | undefined;
}
