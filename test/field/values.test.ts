/** What backends put into an event: it arrives as it is meant, or is refused by name. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { PublishError } from '../../bridge/publisher/errors.ts';
import {
  DEXEventService,
  type EventProducer,
  NotificationService,
} from '../../bridge/publisher/index.ts';
import { encodeEvent } from '../../bridge/publisher/outbox/encode-event.ts';
import { TOPICS } from '../../worker/protocol/events/topics.ts';

const NOW = Date.UTC(2026, 0, 1);

const EVENTS: Readonly<Record<string, object>> = {
  'price.updates': { type: 'price_update', symbol: 'A', data: { price: 1 } },
  'order.book.updates': { type: 'order_book_update', symbol: 'A', data: { bids: [], asks: [] } },
  'trade.notifications': {
    type: 'trade_notification',
    symbol: 'A',
    data: { tradeId: 't', price: 1, amount: 1, side: 'buy' },
  },
  'portfolio.updates': { type: 'portfolio_update', userId: 'u', data: { totalValue: 1 } },
  'system.alerts': {
    type: 'system_alert',
    data: { level: 'info', title: 't', message: 'm' },
  },
  notifications: { type: 'swap_done', target: { type: 'user', id: 'u' }, data: {} },
};

const encode = (topic: string, more: object) =>
  encodeEvent(topic, { ...EVENTS[topic], timestamp: NOW, ...more }, NOW);

test('there is an event of each topic', () => {
  expect(Object.keys(EVENTS)).toEqual([...TOPICS.keys()]);
  for (const topic of TOPICS.keys()) expect(encode(topic, {})).not.toBeInstanceOf(PublishError);
});

describe.each(Object.keys(EVENTS))('the timestamp of an event of %s', (topic) => {
  test.each([0, 1, 999_999_999, 10_000_000_000, NOW, NOW + 86_400_000, 4_102_444_800_000])(
    '%i is Unix ms',
    (timestamp) => {
      expect(encode(topic, { timestamp })).toMatchObject({ timestamp });
    },
  );

  test.each([
    [1_000_000_000, 'seconds'],
    [1_703_123_456, 'seconds'],
    [Math.floor(NOW / 1000), 'seconds'],
    [9_999_999_999, 'seconds'],
    [NOW * 1000, 'microseconds'],
  ])('%i is refused as %s', (timestamp, unit) => {
    expect(encode(topic, { timestamp })).toMatchObject({
      code: 'timestamp_invalid',
      message: expect.stringContaining(unit),
    });
  });

  test.each([1_703_123_456.789, '1703123456789', '2023-12-21T01:50:56Z', -1, NOW * 1e6, true])(
    '%j is refused',
    (timestamp) => {
      expect(encode(topic, { timestamp })).toMatchObject({ code: 'timestamp_invalid' });
    },
  );
});

/** The members that an event may leave out. */
const OPTIONAL: readonly [string, object][] = [
  ...Object.keys(EVENTS).map((topic): [string, object] => [topic, { metadata: null }]),
  ['price.updates', { metadata: { priority: null, source: null, version: null } }],
  ['price.updates', { data: { price: 1, change: null, volume: null, lastUpdated: null } }],
  ['price.updates', { userId: null }],
  ['order.book.updates', { data: { bids: [], asks: [], lastUpdated: null } }],
  ['trade.notifications', { userId: null }],
  [
    'trade.notifications',
    { data: { tradeId: 't', price: 1, amount: 1, side: 'buy', txHash: null, fees: null } },
  ],
  ['portfolio.updates', { symbol: null, data: { totalValue: 1, positions: null } }],
  ['system.alerts', { userId: null }],
  [
    'system.alerts',
    { data: { level: 'info', title: 't', message: 'm', expiresAt: null, actionUrl: null } },
  ],
  ['notifications', { category: null, timestamp: null }],
  ['notifications', { target: { type: 'all', id: null } }],
];

describe('null for an optional field', () => {
  test.each(OPTIONAL)('of %s passes: %j', (topic, more) => {
    expect(encode(topic, more)).not.toBeInstanceOf(PublishError);
  });

  test('passes through the services, and means that the field is left out', async () => {
    const published: { topic: string; event: object; partition: unknown }[] = [];
    const producer: EventProducer = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      publishEvent: async (topic, event, partition) => {
        published.push({ topic, event, partition });
      },
      publishEvents: async (records) => ({ accepted: records.length, rejected: [] }),
    };
    const events = new DEXEventService({ producer, now: () => NOW });
    await events.publishTradeNotification(
      'A',
      { tradeId: 't', price: 1, amount: 1, side: 'buy', txHash: null, fees: null },
      null,
      null,
    );
    await events.publishSystemAlert({ level: 'info', title: 't', message: 'm' }, null, null);
    const notifications = new NotificationService({ producer, now: () => NOW });
    await notifications.publishNotification({
      type: 'swap_done',
      target: { type: 'all', id: null },
      category: null,
      timestamp: null,
      metadata: null,
      data: { note: null },
    });
    const encoded = published.map(({ topic, event }) => encodeEvent(topic, event, NOW));
    expect(encoded.filter((one) => one instanceof PublishError)).toEqual([]);
    expect(encoded.map((one) => 'timestamp' in one && one.timestamp)).toEqual([NOW, NOW, NOW]);
  });

  test.each([
    ['price.updates', { symbol: null }, 'symbol_invalid'],
    ['price.updates', { data: null }, 'data_invalid'],
    ['price.updates', { data: { price: null } }, 'data_invalid'],
    ['price.updates', { timestamp: null }, 'timestamp_invalid'],
    ['portfolio.updates', { userId: null }, 'user_id_invalid'],
    ['notifications', { target: null }, 'target_invalid'],
    ['notifications', { target: { type: 'user', id: null } }, 'target_invalid'],
  ])('is no value for a field that %s needs: %j', (topic, more, code) => {
    expect(encode(topic, more)).toMatchObject({ code });
  });
});

class Position {
  readonly size = '1.5';
}
class Secretive {
  readonly #size = '1.5';
  toJSON() {
    return { size: this.#size };
  }
}

describe('a value that JSON would lose', () => {
  const elsewhere = (code: string): unknown => runInNewContext(code);

  test.each<[string, unknown]>([
    ['Map', new Map([['a', 1]])],
    ['Set', new Set([1])],
    ['WeakMap', new WeakMap()],
    ['Error', new Error('why')],
    ['Error', Object.assign(new TypeError('why'), { code: 'E' })],
    ['RegExp', /a/],
    ['Promise', Promise.resolve(1)],
    ['Map', elsewhere('new Map([["a", 1]])')],
    ['Error', elsewhere('Object.assign(new Error("why"), { code: "E" })')],
    ['ArrayBuffer', new ArrayBuffer(8)],
    ['Uint8Array', new Uint8Array([1, 2])],
    ['Float64Array', new Float64Array([1.5])],
    ['DataView', new DataView(new ArrayBuffer(8))],
    ['URLSearchParams', new URLSearchParams('a=1')],
    ['Headers', new Headers({ a: '1' })],
    ['Generator', (function* () {})()],
    ['Map Iterator', new Map().entries()],
    ['WeakRef', new WeakRef({})],
  ])('is refused by name: %s', (kind, value) => {
    for (const data of [
      { price: 1, note: value },
      { price: 1, list: [[value]] },
    ]) {
      expect(encode('price.updates', { data })).toMatchObject({
        code: 'data_invalid',
        message: expect.stringContaining(kind),
      });
    }
  });

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['an invalid Date', new Date('?')],
  ])('is refused by name: %s', (_kind, value) => {
    const refused = encode('price.updates', { data: { price: 1, note: value } });
    expect(refused).toMatchObject({ code: 'data_invalid' });
  });

  test.each<[string, unknown, string]>([
    ['a bigint', 10n ** 30n, `"1${'0'.repeat(30)}"`],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a URL', new URL('http://a.example/'), '"http://a.example/"'],
    ['a Buffer', Buffer.from('a'), '{"type":"Buffer","data":[97]}'],
    ['an object of a class', new Position(), '{"size":"1.5"}'],
    ['one that says how', new Secretive(), '{"size":"1.5"}'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['an object of another realm', elsewhere('({})'), '{}'],
    ['a list of another realm', elsewhere('[1]'), '[1]'],
    ['an empty object', {}, '{}'],
    ['an object of an empty class', new (class Empty {})(), '{}'],
    ['a boxed text', Object('a'), '"a"'],
    ['null', null, 'null'],
  ])('is not %s', (_kind, value, text) => {
    const encoded = encode('price.updates', { data: { price: 1, note: value } });
    expect(encoded).toMatchObject({ text: expect.stringContaining(`"note":${text}}`) });
  });
});
