/**
 * What can be published. The types of data are derived from the gateway's schemas, and are wide on
 * purpose: fields beyond those named are allowed, and each value is judged when it is published, by
 * the very rules of the gateway.
 */
import type {
  Decimal,
  EventsByType,
  EventType,
} from '../../worker/protocol/events/event-shapes.ts';

/** A quantity: a number, a decimal string, or a bigint, which is sent as a decimal string. */
export type Amount = number | string | bigint;

/** One of `Values`, which an editor completes, or any string, which is judged when it is published. */
type Known<Values extends string> = Values | (string & {});

type Data<Type extends EventType> = EventsByType[Type]['data'];

/** What may be given for a value of the schema: an amount for a decimal, any text for one of a few. */
type Publishable<Value> = Decimal extends Value
  ? Amount | Exclude<Value, Decimal>
  : Value extends readonly (infer Item)[]
    ? readonly Publishable<Item>[]
    : Value extends string
      ? string extends Value
        ? string
        : Known<Value>
      : Value extends object
        ? {
            readonly [Name in keyof Value as string extends Name ? never : Name]: Publishable<
              Value[Name]
            >;
          }
        : Value;

export interface EventMetadata {
  /** How long the event may wait for others to share its frame: 0, 50 or 250 ms for high, medium, low. */
  readonly priority?: Known<'low' | 'medium' | 'high'> | null | undefined;
  /** The service that publishes. At most 128 characters. */
  readonly source?: string | null | undefined;
  /** The version of the event's schema. At most 128 characters. */
  readonly version?: string | null | undefined;
}

export type PriceData = Publishable<Data<'price_update'>>;
/**
 * The whole book as it is, with any number of levels, each a `[price, size]` pair. It is never a list
 * of changes: a slow client is sent only the latest book, and would miss every change before it.
 */
export type OrderBookData = Publishable<Data<'order_book_update'>>;
export type TradeData = Publishable<Data<'trade_notification'>>;
export type PortfolioData = Publishable<Data<'portfolio_update'>>;
export type Position = NonNullable<PortfolioData['positions']>[number];
/** An alert without `expiresAt` lives a day. */
export type AlertData = Publishable<Data<'system_alert'>>;

export interface SwapData {
  readonly swapId: string;
  readonly fromToken?: string | null | undefined;
  readonly toToken?: string | null | undefined;
  readonly fromAmount?: Amount | null | undefined;
  readonly toAmount?: Amount | null | undefined;
  readonly txHash?: string | null | undefined;
  readonly gasUsed?: Amount | null | undefined;
  /** Unix ms. */
  readonly timestamp?: number | null | undefined;
}

/** An event as it stands in Kafka, on the topic of its type. */
export interface DEXEvent {
  readonly type: Known<EventType>;
  /** `BTC-USDC` */
  readonly symbol?: string | null | undefined;
  readonly userId?: string | null | undefined;
  readonly data: object;
  /** Unix ms. */
  readonly timestamp: number;
  readonly metadata?: EventMetadata | null | undefined;
}

/**
 * Who gets a notification: one user, those in a custom room, or (`all`) every connected client, whatever
 * rooms it is in.
 */
export type NotificationTarget =
  | { readonly type: 'user'; readonly id: string }
  | { readonly type: 'room'; readonly id: string }
  | { readonly type: 'all' };

/** A notification as it stands in Kafka, on the topic `notifications`. */
export interface NotificationEvent {
  readonly type: string;
  readonly target: {
    readonly type: Known<'user' | 'room' | 'all'>;
    readonly id?: string | null | undefined;
  };
  readonly category?: string | null | undefined;
  readonly data: object;
  /** Unix ms. */
  readonly timestamp?: number | null | undefined;
  readonly metadata?: EventMetadata | null | undefined;
}

/** A notification to be published. Its `type` is snake_case, and no type of a `DEXEvent`. */
export interface Notification {
  readonly type: string;
  readonly target: {
    readonly type: Known<'user' | 'room' | 'all'>;
    readonly id?: string | null | undefined;
  };
  readonly data: object;
  readonly metadata?: EventMetadata | null | undefined;
  /** What kind of notification a room's members get: `trading`. At most 128 characters. */
  readonly category?: string | null | undefined;
  /** When it happened, Unix ms; now, unless given. */
  readonly timestamp?: number | null | undefined;
}
