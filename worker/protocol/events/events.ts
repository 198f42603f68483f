/**
 * The schemas of the events. Numbers may be JSON numbers or decimal strings; unknown fields of `data`
 * are allowed and pass through. An optional field may also be null, which means the same as none, since
 * many serializers write it so. `topics.ts` says by which topic each event comes and where it goes.
 */
import * as v from 'valibot';
import { isCustomRoom, isName } from '../rooms.ts';
import type { Decimal, EventsByType, EventType, PriceLevel } from './event-shapes.ts';

export type { Priority } from './event-shapes.ts';

/** The longest JSON text of an event, in characters, and how deep it may nest. */
export const MAX_EVENT_LENGTH = 256 * 1024;
export const MAX_EVENT_DEPTH = 16;
/** No decimal of a market or a chain is longer: 2²⁵⁶ has 78 digits, and a fraction may have as many. */
const MAX_DECIMAL_LENGTH = 160;
const MAX_TEXT_LENGTH = 4096;
const MAX_LABEL_LENGTH = 128;

const DECIMAL_PATTERN = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const TYPE_PATTERN = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

function isDecimal(value: unknown): value is Decimal {
  if (typeof value === 'number') return Number.isFinite(value);
  return (
    typeof value === 'string' && value.length <= MAX_DECIMAL_LENGTH && DECIMAL_PATTERN.test(value)
  );
}

// One loop instead of a schema for each element, because a book has hundreds of levels.
function isBookSide(value: unknown): value is PriceLevel[] {
  if (!Array.isArray(value)) return false;
  for (const level of value) {
    if (!Array.isArray(level) || level.length !== 2) return false;
    if (!isDecimal(level[0]) || !isDecimal(level[1])) return false;
  }
  return true;
}

const decimal = v.custom<Decimal>(isDecimal, 'expected a number or a decimal string');
const bookSide = v.custom<PriceLevel[]>(isBookSide, 'expected [price, size] pairs');
/** It stands before an object schema whose fields are all optional: valibot takes an array for one. */
const noArray = v.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);
const text = v.pipe(v.string(), v.maxLength(MAX_TEXT_LENGTH));
const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_LENGTH));
const name = v.pipe(v.string(), v.check(isName, 'expected a name of 1 to 256 allowed characters'));
/** Unix ms. */
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** The seconds of the years 2001 to 2286. As ms they would all be in the spring of 1970. */
const LEAST_SECONDS = 1e9;
const MOST_SECONDS = 1e10;
/** As ms it is of the year 5138; as µs, of 1973. */
const LEAST_MICROSECONDS = 1e14;
/** When an event happened. A time in another unit would be shown to clients as a wrong one. */
const eventTime = v.pipe(
  time,
  v.check(
    (value) => value < LEAST_SECONDS || value >= MOST_SECONDS,
    'expected Unix ms, and this is in seconds, so the event would be of 1970',
  ),
  v.check(
    (value) => value < LEAST_MICROSECONDS,
    'expected Unix ms, and this is in microseconds or less',
  ),
);

const metadataSchema = v.pipe(
  noArray,
  v.object({
    priority: v.nullish(v.picklist(['low', 'medium', 'high'])),
    source: v.nullish(label),
    version: v.nullish(label),
  }),
);

const common = { timestamp: eventTime, metadata: v.nullish(metadataSchema) };

const priceDataSchema = v.looseObject({
  price: decimal,
  change: v.nullish(decimal),
  changePercent: v.nullish(decimal),
  volume: v.nullish(decimal),
  high24h: v.nullish(decimal),
  low24h: v.nullish(decimal),
  /** Unix ms. */
  lastUpdated: v.nullish(time),
});

const orderBookDataSchema = v.looseObject({
  bids: bookSide,
  asks: bookSide,
  /** Unix ms. */
  lastUpdated: v.nullish(time),
});

const tradeDataSchema = v.looseObject({
  tradeId: v.pipe(label, v.nonEmpty()),
  price: decimal,
  amount: decimal,
  side: v.picklist(['buy', 'sell']),
  txHash: v.nullish(label),
  gasUsed: v.nullish(decimal),
  fees: v.nullish(
    v.pipe(noArray, v.looseObject({ gas: v.nullish(decimal), platform: v.nullish(decimal) })),
  ),
});

/** The fields of a trade's `data` that a public tape shows. */
export const TAPE_FIELDS: ReadonlySet<string> = new Set(['tradeId', 'price', 'amount', 'side']);

const portfolioDataSchema = v.looseObject({
  totalValue: decimal,
  totalValueChange: v.nullish(decimal),
  totalValueChangePercent: v.nullish(decimal),
  positions: v.nullish(
    v.array(
      v.looseObject({
        symbol: label,
        amount: v.nullish(decimal),
        value: v.nullish(decimal),
        pnl: v.nullish(decimal),
        pnlPercent: v.nullish(decimal),
      }),
    ),
  ),
  /** Unix ms. */
  lastUpdated: v.nullish(time),
});

const alertDataSchema = v.looseObject({
  alertId: v.nullish(label),
  level: v.picklist(['info', 'warning', 'error']),
  title: text,
  message: text,
  category: v.nullish(label),
  actionUrl: v.nullish(text),
  actionText: v.nullish(text),
  /** Unix ms after which nobody is sent the alert. */
  expiresAt: v.nullish(time),
});

const targetSchema = v.variant('type', [
  v.object({ type: v.literal('user'), id: name }),
  v.object({
    type: v.literal('room'),
    id: v.pipe(v.string(), v.check(isCustomRoom, 'not a custom room')),
  }),
  v.object({ type: v.literal('all') }),
]);

export const priceUpdateSchema = v.object({
  type: v.literal('price_update'),
  symbol: name,
  data: priceDataSchema,
  ...common,
});
/** The whole book as it was published, in place of the one before; never a list of changes. */
export const orderBookUpdateSchema = v.object({
  type: v.literal('order_book_update'),
  symbol: name,
  data: orderBookDataSchema,
  ...common,
});
export const tradeNotificationSchema = v.object({
  type: v.literal('trade_notification'),
  symbol: name,
  userId: v.nullish(name),
  data: tradeDataSchema,
  ...common,
});
export const portfolioUpdateSchema = v.object({
  type: v.literal('portfolio_update'),
  userId: name,
  data: portfolioDataSchema,
  ...common,
});
export const systemAlertSchema = v.object({
  type: v.literal('system_alert'),
  userId: v.nullish(name),
  data: alertDataSchema,
  ...common,
});
/**
 * The schemas of the events that have a topic of their own, by type. To add an event type, add its
 * schema here, its shape to `event-shapes.ts` and its entry to the table in `topics.ts`; every other
 * list is derived from these.
 */
export const EVENT_SCHEMAS = {
  price_update: priceUpdateSchema,
  order_book_update: orderBookUpdateSchema,
  trade_notification: tradeNotificationSchema,
  portfolio_update: portfolioUpdateSchema,
  system_alert: systemAlertSchema,
} as const satisfies { [Type in EventType]: v.GenericSchema<unknown, EventsByType[Type]> };

const notificationType = v.pipe(
  v.string(),
  v.maxLength(MAX_LABEL_LENGTH),
  v.regex(TYPE_PATTERN, 'expected snake_case'),
  v.check((type) => !Object.hasOwn(EVENT_SCHEMAS, type), 'this type has a topic of its own'),
);

/** The envelope of the `notifications` topic. `target` says who gets it, and goes no further. */
export const notificationSchema = v.object({
  type: notificationType,
  target: targetSchema,
  category: v.nullish(label),
  data: v.pipe(noArray, v.looseObject({})),
  timestamp: v.nullish(eventTime),
  metadata: common.metadata,
});
