/** Random events: valid ones, nearly valid ones with one thing changed, and hostile ones. */
import fc from 'fast-check';

/** When all of them are judged, Unix ms: in the future, so that no clock of a Worker has passed it. */
const NOW = 4_000_000_000_000;

const amount = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom('45000.50', '0', '-1.5', '1e18', '115792089237316195423570985008687907853'),
);
const badAmount = fc.oneof(
  fc.constantFrom<unknown>('', '01', '1.', '.5', ' 1', '0x10', 'NaN', '1'.repeat(161), null, true),
  fc.string({ unit: 'binary' }),
);
const symbol = fc.constantFrom('BTC-USDC', 'ETH-USDC', '1000PEPE_USDT', 'a'.repeat(64));
const userId = fc.constantFrom('user-123', 'auth0|5f7c', 'did:privy:abc', 'u'.repeat(128));
const time = fc.constantFrom(0, 1_703_123_456_789, NOW);
const metadata = fc.option(
  fc.record(
    {
      priority: fc.constantFrom('low', 'medium', 'high'),
      source: fc.constantFrom('price-service', 's'.repeat(128), ''),
      version: fc.constantFrom('1'),
      more: fc.constantFrom(1),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const level = fc.tuple(amount, amount);

const DATA = {
  'price.updates': fc.record(
    {
      price: amount,
      change: amount,
      volume: amount,
      lastUpdated: time,
      note: fc.string({ unit: 'binary' }),
    },
    { requiredKeys: ['price'] },
  ),
  'order.book.updates': fc.record(
    { bids: fc.array(level), asks: fc.array(level), lastUpdated: time },
    { requiredKeys: ['bids', 'asks'] },
  ),
  'trade.notifications': fc.record(
    {
      tradeId: fc.constantFrom('trade-456'),
      price: amount,
      amount,
      side: fc.constantFrom('buy', 'sell'),
      fees: fc.record({ gas: amount, platform: amount }, { requiredKeys: [] }),
      userId,
    },
    { requiredKeys: ['tradeId', 'price', 'amount', 'side'] },
  ),
  'portfolio.updates': fc.record(
    {
      totalValue: amount,
      positions: fc.array(fc.record({ symbol, amount }, { requiredKeys: ['symbol'] })),
    },
    { requiredKeys: ['totalValue'] },
  ),
  'system.alerts': fc.record(
    {
      level: fc.constantFrom('info', 'warning', 'error'),
      title: fc.constantFrom('New Token Listed', 't'.repeat(4096)),
      message: fc.string({ unit: 'binary' }),
      // Expired long ago, or not for a century: the two clocks need not agree to the millisecond.
      expiresAt: fc.constantFrom(0, 1, 1_703_123_456_789, 7_000_000_000_000),
    },
    { requiredKeys: ['level', 'title', 'message'] },
  ),
  notifications: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
} as const;

const TYPES: Readonly<Record<keyof typeof DATA, string>> = {
  'price.updates': 'price_update',
  'order.book.updates': 'order_book_update',
  'trade.notifications': 'trade_notification',
  'portfolio.updates': 'portfolio_update',
  'system.alerts': 'system_alert',
  notifications: 'swap_completed',
};

const target = fc.oneof(
  fc.record({ type: fc.constant('user'), id: userId }),
  fc.record({ type: fc.constant('room'), id: fc.constantFrom('trading-room-general') }),
  fc.record({ type: fc.constant('all') }),
);

export interface Case {
  readonly topic: string;
  readonly event: unknown;
}

const valid: fc.Arbitrary<Case> = fc
  .constantFrom(...(Object.keys(DATA) as (keyof typeof DATA)[]))
  .chain((topic) => {
    const common = {
      type: fc.constant(TYPES[topic]),
      data: DATA[topic] as fc.Arbitrary<object>,
      timestamp: time,
      metadata,
    };
    const more =
      topic === 'notifications'
        ? { target, category: fc.constantFrom('trading') }
        : topic === 'portfolio.updates'
          ? { userId }
          : topic === 'system.alerts'
            ? {}
            : { symbol };
    return fc
      .record({ ...common, ...more } as Record<string, fc.Arbitrary<unknown>>)
      .map((event) => ({ topic: topic as string, event }));
  });

/** What is put somewhere into a valid event. */
const wrong: fc.Arbitrary<unknown> = fc.oneof(
  badAmount,
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    [],
    {},
    -1,
    1.5,
    2 ** 53,
    '__proto__',
    '\ud800',
    'system',
    'price:BTC-USDC',
    'nested\u0000text',
  ),
  fc.integer({ min: 12, max: 20 }).map((depth) => nested(depth, 'array')),
  fc.integer({ min: 12, max: 20 }).map((depth) => nested(depth, 'object')),
  fc.constantFrom(3_000, 262_100, 262_144, 300_000).map((length) => 'x'.repeat(length)),
);

const key = fc.constantFrom(
  ...['type', 'symbol', 'userId', 'data', 'timestamp', 'metadata', 'target', 'category', 'extra'],
  ...['price', 'bids', 'tradeId', 'side', 'totalValue', 'positions', 'level', 'expiresAt', 'title'],
  ...['__proto__', 'constructor', 'prototype', 'id', 'priority', 'source', 'a"\\\n\u2028b'],
);

const nearlyValid: fc.Arbitrary<Case> = fc
  .tuple(valid, key, fc.option(wrong, { nil: undefined }), fc.boolean())
  .map(([{ topic, event }, name, value, inData]) => {
    const copy = structuredClone(event) as { data: object };
    const place = inData ? copy.data : copy;
    // As JSON.parse would make it: `__proto__` too is then a key like any other.
    Object.defineProperty(place, name, { value, enumerable: true, configurable: true });
    return { topic, event: copy };
  });

const misrouted: fc.Arbitrary<Case> = fc
  .tuple(
    valid,
    fc.constantFrom(
      ...Object.keys(DATA),
      'unknown.topic',
      '__proto__',
      'constructor',
      't'.repeat(200),
    ),
  )
  .map(([{ event }, topic]) => ({ topic, event }));

const anything: fc.Arbitrary<Case> = fc.record({
  topic: fc.constantFrom(...Object.keys(DATA)),
  event: fc.oneof(fc.jsonValue(), fc.object({ withBigInt: false, maxDepth: 4 })),
});

export const someEvent: fc.Arbitrary<Case> = fc.oneof(
  { weight: 3, arbitrary: valid },
  { weight: 5, arbitrary: nearlyValid },
  { weight: 1, arbitrary: misrouted },
  { weight: 1, arbitrary: anything },
);

/** `depth` brackets within each other. */
export function nested(depth: number, kind: 'array' | 'object'): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = kind === 'array' ? [value] : { a: value };
  return value;
}

/** Whether JSON would change a number in `value` into null, which the publisher refuses by itself. */
export function hasLossyNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (value instanceof Number) return !Number.isFinite(Number(value));
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasLossyNumber);
}
