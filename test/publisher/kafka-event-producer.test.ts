import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  DEXEventService,
  KafkaEventProducer,
  NotificationService,
} from '../../bridge/publisher/index.ts';
import { ProducerLife } from '../../bridge/publisher/kafka/producer-life.ts';
import { kafka as connectTo, uniqueName } from '../support/kafka.ts';
import { OwnKafka } from './own-kafka.ts';

let kafka: OwnKafka;
beforeAll(async () => {
  kafka = await OwnKafka.start();
  return () => kafka.stop();
});

const unique = () => uniqueName('S').slice(0, 40);
const priceEvent = (symbol: string, n: number, more: object = {}) => ({
  type: 'price_update',
  symbol,
  data: { price: n, ...more },
  timestamp: Date.now(),
});
const priceOf = ({ text }: { text: string }): number => JSON.parse(text).data.price;

async function connect(): Promise<KafkaEventProducer> {
  const producer = new KafkaEventProducer({ brokers: kafka.brokers });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return producer;
}

describe('the producer', () => {
  test('needs connect, says kafka_unavailable when there is no Kafka, and prints nothing', async () => {
    const printed = [
      vi.spyOn(console, 'log'),
      vi.spyOn(console, 'error'),
      vi.spyOn(console, 'warn'),
    ];
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown) => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => {
      process.off('warning', onWarning);
      vi.restoreAllMocks();
    });
    const nowhere = new KafkaEventProducer({ brokers: ['127.0.0.1:1'] });
    await expect(nowhere.connect()).rejects.toMatchObject({
      code: 'kafka_unavailable',
      retry: true,
    });
    const refused = expect.objectContaining({ code: 'not_connected' });
    await expect(nowhere.publishEvent('price.updates', priceEvent('A', 1))).rejects.toEqual(
      refused,
    );

    const producer = new KafkaEventProducer({ brokers: kafka.brokers });
    await producer.connect();
    await producer.publishEvent('price.updates', priceEvent('A', 1));
    await producer.disconnect();
    await expect(producer.publishEvents([])).rejects.toEqual(refused);
    await producer.connect();
    await producer.publishEvent('price.updates', priceEvent('A', 1));
    await producer.disconnect();
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    expect(warnings).toEqual([]);
  });

  test('takes its place from the environment, and names a variable that is wrong', () => {
    expect(() => new KafkaEventProducer({}, { KAFKA_BROKERS: 'nowhere' })).toThrow('KAFKA_BROKERS');
    expect(() => new KafkaEventProducer({}, { KAFKA_SASL_MECHANISM: 'plain' })).toThrow(
      'KAFKA_SASL_USERNAME is missing',
    );
  });

  test('keeps the order of callers that do not wait, thousands at a time', async () => {
    const producer = await connect();
    const symbol = unique();
    const sends = vi.spyOn(ProducerLife.prototype, 'send');
    onTestFinished(() => sends.mockRestore());
    await Promise.all(
      Array.from({ length: 5_000 }, (_, n) =>
        producer.publishEvent('price.updates', priceEvent(symbol, n)),
      ),
    );
    const own = (await kafka.stored('price.updates')).filter(({ key }) => key === symbol);
    expect(own.map(priceOf)).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    expect(sends.mock.calls.length).toBeLessThanOrEqual(12);
  });

  test('writes to the partition that is asked for, and refuses one that is not there', async () => {
    const producer = await connect();
    const symbol = unique();
    for (const partition of [0, 1, 2]) {
      await producer.publishEvent('price.updates', priceEvent(symbol, partition), partition);
    }
    const own = (await kafka.stored('price.updates')).filter(({ key }) => key === symbol);
    for (const record of own) expect(priceOf(record)).toBe(record.partition);
    expect(own).toHaveLength(3);
    await expect(
      producer.publishEvent('price.updates', priceEvent(symbol, 0), 3),
    ).rejects.toMatchObject({ code: 'partition_invalid' });
  });

  test('an invalid partition costs its own record alone', async () => {
    const producer = await connect();
    const symbol = unique();
    const odd: unknown[] = [Symbol('p'), 1n, 'x', {}];
    const records = [undefined, ...odd].map((partition, n) => ({
      topic: 'price.updates',
      event: priceEvent(symbol, n),
      partition: partition as number | undefined,
    }));
    const { accepted, rejected } = await producer.publishEvents(records);
    expect(accepted).toBe(1);
    expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['partition_invalid']));
  });

  test('a record that Kafka refuses costs no other, and none is written twice', async () => {
    const producer = await connect();
    const symbols = Array.from({ length: 6 }, unique);
    // More than an hour ahead of Kafka's clock.
    const future = Date.now() + 86_400_000;
    const records = Array.from({ length: 60 }, (_, n) => ({
      topic: 'price.updates',
      event: {
        ...priceEvent(symbols[n % 6] ?? '', n),
        ...(n === 7 || n === 31 ? { timestamp: future } : {}),
      },
    }));
    const { accepted, rejected } = await producer.publishEvents(records);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [7, 'timestamp_invalid'],
      [31, 'timestamp_invalid'],
    ]);
    expect(accepted).toBe(58);
    const own = (await kafka.stored('price.updates')).filter(({ key }) => symbols.includes(key));
    for (const symbol of symbols) {
      const prices = own.filter(({ key }) => key === symbol).map(priceOf);
      const expected = records.flatMap(({ event }, n) =>
        event.symbol === symbol && n !== 7 && n !== 31 ? [n] : [],
      );
      expect(prices).toEqual(expected);
    }
  });

  test('a topic that is missing, or is deleted meanwhile, costs no other topic', async () => {
    const producer = await connect();
    const symbol = unique();
    const alert = {
      topic: 'system.alerts',
      event: {
        type: 'system_alert',
        data: { level: 'info', title: 'a', message: 'b' },
        timestamp: Date.now(),
      },
    };
    const price = (n: number) => ({ topic: 'price.updates', event: priceEvent(symbol, n) });
    expect((await producer.publishEvents([alert, price(0)])).accepted).toBe(2);
    const admin = connectTo(kafka.brokers).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    await admin.deleteTopics({ topics: ['system.alerts'] });

    const codes = new Set<string>();
    let last: number | undefined;
    for (let n = 1; n < 10; n++) {
      const { rejected } = await producer.publishEvents([alert, price(n)]);
      for (const { code } of rejected) codes.add(code);
      last = rejected.length === 1 && rejected[0]?.index === 0 ? n : last;
      if (last !== undefined) break;
    }
    expect(last, 'only the alert is refused').toBeDefined();
    expect([...codes].filter((code) => code !== 'kafka_unavailable')).toEqual(['topic_missing']);

    await kafka.createTopics(['system.alerts'], 1);
    await vi.waitUntil(async () => (await producer.publishEvents([alert])).accepted === 1, 10_000);
    const own = (await kafka.stored('price.updates')).filter(({ key }) => key === symbol);
    expect(own.map(priceOf)).toContain(last);
  });
});

describe('the event service', () => {
  test('publishes each event by its topic, key, time and envelope', async () => {
    const now = Date.now() - 5_000;
    const events = new DEXEventService({ kafka: { brokers: kafka.brokers }, now: () => now });
    await expect(events.publishPriceUpdate('A', { price: 1 })).rejects.toMatchObject({
      code: 'not_connected',
    });
    await events.initialize();
    const symbol = unique();
    const userId = unique();
    const metadata = { priority: 'high', source: 'test' };
    interface Portfolio {
      totalValue: bigint;
      owner: string;
    }
    const portfolio: Portfolio = { totalValue: 10n ** 20n, owner: 'me' };
    const side: string = 'buy';
    await events.publishPriceUpdate(symbol, { price: 45000.5, extra: 1 }, metadata);
    await events.publishOrderBookUpdate(symbol, { bids: [[1, '2.50']], asks: [] });
    await events.publishTradeNotification(
      symbol,
      { tradeId: 't', price: 1, amount: 1n, side, venue: 'x' },
      userId,
    );
    await events.publishTradeNotification(symbol, { tradeId: 'u', price: 1, amount: 1, side });
    await events.publishPortfolioUpdate(userId, portfolio);
    await events.publishSystemAlert(
      { level: 'info', title: 'T', message: 'M', expiresAt: now + 60_000 },
      metadata,
      userId,
    );
    await events.publishSystemAlert({ level: 'info', title: symbol, message: 'M' });
    await expect(events.publishPriceUpdate('no symbol', { price: 1 })).rejects.toMatchObject({
      code: 'symbol_invalid',
      retry: false,
    });
    await expect(
      events.publishSystemAlert({ level: 'info', title: 'T', message: 'M', expiresAt: now }),
    ).rejects.toMatchObject({ code: 'event_expired' });
    await events.shutdown();

    const own = async (topic: string) =>
      (await kafka.stored(topic)).filter(
        ({ text }) => text.includes(symbol) || text.includes(userId),
      );
    const at = `"timestamp":${now}`;
    const meta = '"metadata":{"priority":"high","source":"test"}';
    const expected: [string, string, string][] = [
      [
        'price.updates',
        symbol,
        `{"type":"price_update","symbol":"${symbol}","data":{"price":45000.5,"extra":1},${meta},${at}}`,
      ],
      [
        'order.book.updates',
        symbol,
        `{"type":"order_book_update","symbol":"${symbol}","data":{"bids":[[1,"2.50"]],"asks":[]},${at}}`,
      ],
      [
        'trade.notifications',
        symbol,
        `{"type":"trade_notification","symbol":"${symbol}","userId":"${userId}","data":{"tradeId":"t","price":1,"amount":"1","side":"buy","venue":"x"},${at}}`,
      ],
      [
        'trade.notifications',
        symbol,
        `{"type":"trade_notification","symbol":"${symbol}","data":{"tradeId":"u","price":1,"amount":1,"side":"buy"},${at}}`,
      ],
      [
        'portfolio.updates',
        userId,
        `{"type":"portfolio_update","userId":"${userId}","data":{"totalValue":"100000000000000000000","owner":"me"},${at}}`,
      ],
      [
        'system.alerts',
        userId,
        `{"type":"system_alert","userId":"${userId}","data":{"level":"info","title":"T","message":"M","expiresAt":${now + 60_000}},${meta},${at}}`,
      ],
      [
        'system.alerts',
        'system',
        `{"type":"system_alert","data":{"level":"info","title":"${symbol}","message":"M"},${at}}`,
      ],
    ];
    const found = [];
    for (const topic of new Set(expected.map(([name]) => name))) found.push(...(await own(topic)));
    expect(found.map(({ topic, key, text }) => [topic, key, text]).sort()).toEqual(expected.sort());
    expect(new Set(found.map(({ timestamp }) => timestamp))).toEqual(new Set([now]));
  });
});

describe('the notification service', () => {
  const own = async (mark: string) =>
    (await kafka.stored('notifications')).filter(({ text }) => text.includes(mark));

  test('connects by itself, once for all, and keys by target', async () => {
    const mark = unique();
    const connects = vi.spyOn(KafkaEventProducer.prototype, 'connect');
    onTestFinished(() => connects.mockRestore());
    const service = new NotificationService({
      kafka: { brokers: kafka.brokers },
      now: () => Date.now(),
    });
    const data = { mark, 'a\u0000b': 'c\u0007', big: 5n };
    await Promise.all([
      service.notifyUser('user-1', 'swap_failed', data, { priority: 'high' }),
      service.notifyRoom('trading-room-general', 'trading', 'public_swap_completed', data),
      service.notifySwapCompleted('user-2', { swapId: mark, toAmount: 3n }),
      service.publishNotification({
        type: 'hello_all',
        target: { type: 'all' },
        data,
        timestamp: 7,
      }),
    ]);
    expect(connects).toHaveBeenCalledTimes(1);
    await service.shutdown();
    await expect(service.notifyUser('user-1', 'a', {})).rejects.toMatchObject({
      code: 'not_connected',
    });
    const found = (await own(mark)).map(({ key, text }) => {
      const { timestamp, ...event } = JSON.parse(text);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
      return { key, ...event };
    });
    const clean = { mark, ab: 'c', big: '5' };
    const byType = (a: { type: string }, b: { type: string }) => (a.type < b.type ? -1 : 1);
    expect(found.sort(byType)).toEqual([
      { key: 'system', type: 'hello_all', target: { type: 'all' }, data: clean },
      {
        key: 'trading-room-general',
        type: 'public_swap_completed',
        target: { type: 'room', id: 'trading-room-general' },
        category: 'trading',
        data: clean,
      },
      {
        key: 'user-2',
        type: 'swap_completed',
        target: { type: 'user', id: 'user-2' },
        data: { swapId: mark, toAmount: '3' },
      },
      {
        key: 'user-1',
        type: 'swap_failed',
        target: { type: 'user', id: 'user-1' },
        data: clean,
        metadata: { priority: 'high' },
      },
    ]);
  });

  test('asks for permission, of users only, and keeps a user’s order however slow the answers', async () => {
    const mark = unique();
    const asked: string[] = [];
    const service = new NotificationService({
      kafka: { brokers: kafka.brokers },
      hasNotificationPermission: async (userId, type) => {
        asked.push(`${userId} ${type}`);
        if (type === 'slow') await new Promise((resolve) => setTimeout(resolve, 200));
        if (type === 'broken') throw new Error('no database');
        return type !== 'denied';
      },
    });
    onTestFinished(() => service.shutdown());
    const code = (wanted: string) => expect.objectContaining({ code: wanted });
    await Promise.all([
      service.notifyUser('u', 'slow', { mark }),
      service.notifyUser('u', 'quick', { mark }),
      expect(service.notifyUser('u', 'denied', { mark })).rejects.toEqual(
        code('permission_denied'),
      ),
      expect(service.notifyUser('u', 'broken', { mark })).rejects.toEqual(
        code('permission_unknown'),
      ),
      service.notifyRoom('some-room', 'c', 'to_room', { mark }),
    ]);
    expect(asked).toEqual(['u slow', 'u quick', 'u denied', 'u broken']);
    const types = (await own(mark))
      .filter(({ key }) => key === 'u')
      .map(({ text }) => JSON.parse(text).type);
    expect(types).toEqual(['slow', 'quick']);
  });

  test('a list goes by hundreds; each bad one is refused with its index and code', async () => {
    const mark = unique();
    const service = new NotificationService({ kafka: { brokers: kafka.brokers } });
    onTestFinished(() => service.shutdown());
    const list = Array.from({ length: 250 }, (_, n) => ({
      type: n === 120 ? 'Not Snake' : 'announcement',
      target: { type: 'user', id: n === 240 ? 'no user' : `u${n % 7}` },
      data: n === 3 ? { mark, n: Number.NaN } : { mark, n },
    }));
    const { accepted, rejected } = await service.publishNotifications(list);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [3, 'data_invalid'],
      [120, 'type_invalid'],
      [240, 'target_invalid'],
    ]);
    expect(accepted).toBe(247);
    const found = await own(mark);
    for (let user = 0; user < 7; user++) {
      const numbers = found
        .filter(({ key }) => key === `u${user}`)
        .map(({ text }): number => JSON.parse(text).data.n);
      const expected = Array.from({ length: 250 }, (_, n) => n).filter(
        (n) => n % 7 === user && ![3, 120, 240].includes(n),
      );
      expect(numbers).toEqual(expected);
    }
  });

  test('a connect that failed is tried again by the next', async () => {
    let fails = true;
    const published: unknown[] = [];
    const producer = {
      connect: async () => {
        if (fails) throw new Error('not yet');
      },
      publishEvent: async (_: string, event: unknown) => void published.push(event),
      publishEvents: async () => ({ accepted: 0, rejected: [] }),
      disconnect: () => expect.unreachable('a shared producer is its owner’s'),
    };
    const service = new NotificationService({ producer });
    await expect(service.notifyUser('u', 'a', {})).rejects.toThrow('not yet');
    fails = false;
    await service.notifyUser('u', 'a', {});
    expect(published).toHaveLength(1);
    await service.shutdown();
  });
});
