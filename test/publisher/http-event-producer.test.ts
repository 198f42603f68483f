import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import {
  HttpEventProducer,
  type HttpProducerOptions,
  NotificationQueue,
  NotificationService,
  type PublishResult,
} from '../../bridge/publisher/index.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { listen } from '../support/worker.ts';
import { FakeGateway, takeAll } from './fake-gateway.ts';

const trade = (symbol: string, n: number, more: object = {}) => ({
  topic: 'trade.notifications',
  event: {
    type: 'trade_notification',
    symbol,
    data: { tradeId: `t${n}`, price: 1, amount: 1, side: 'buy', ...more },
    timestamp: 1_700_000_000_000 + n,
  },
});

const TOO_LARGE = { error: { code: 'batch_too_large', message: 'too large' } };

/** A connected producer that posts through `gateway`, and how long it has waited. */
async function connect(gateway: FakeGateway, options: HttpProducerOptions = {}) {
  const waits: number[] = [];
  const producer = new HttpEventProducer({
    secret: DEVELOPMENT_PUBLISHER_SECRET,
    fetch: gateway.post,
    random: () => 1,
    wait: async (ms) => waits.push(ms),
    ...options,
  });
  await producer.connect();
  return { producer, waits };
}

describe('before a gateway that takes all', () => {
  test('publishing needs connect, and is refused after disconnect', async () => {
    const producer = new HttpEventProducer({
      secret: DEVELOPMENT_PUBLISHER_SECRET,
      fetch: takeAll,
    });
    const { topic, event } = trade('A', 1);
    const refused = expect.objectContaining({ code: 'not_connected' });
    await expect(producer.publishEvent(topic, event)).rejects.toEqual(refused);
    await expect(producer.publishEvents([])).rejects.toEqual(refused);
    await producer.connect();
    await producer.publishEvent(topic, event);
    await producer.disconnect();
    await expect(producer.publishEvent(topic, event)).rejects.toEqual(refused);
  });

  test('a bad variable is named', async () => {
    expect(() => new HttpEventProducer({ url: 'localhost' })).toThrow('WEBSOCKET_GATEWAY_URL');
    await expect(new HttpEventProducer({ secret: 'x' }).connect()).rejects.toThrow(
      'PUBLISHER_SECRET',
    );
    await expect(new HttpEventProducer({}, {}).connect()).rejects.toThrow(
      'PUBLISHER_SECRET is missing',
    );
  });

  test('what is published meanwhile goes together, in order, one POST at a time', async () => {
    const gateway = new FakeGateway(takeAll);
    const { producer } = await connect(gateway);
    const published = Array.from({ length: 1_201 }, async (_, n) => {
      if (n > 0) await Promise.resolve();
      const { topic, event } = trade('A', n);
      await producer.publishEvent(topic, event);
    });
    await Promise.all(published);
    expect(gateway.mostAtOnce).toBe(1);
    expect(gateway.posts.length).toBeLessThanOrEqual(4);
    const ids = gateway.posts.flatMap(({ records }) =>
      records.map(({ value }) => value.data.tradeId),
    );
    expect(ids).toEqual(Array.from({ length: 1_201 }, (_, n) => `t${n}`));
    expect(Math.max(...gateway.posts.map(({ records }) => records.length))).toBe(500);
  });

  test('no POST is larger than 1 MiB', async () => {
    const gateway = new FakeGateway(takeAll);
    const { producer } = await connect(gateway);
    const note = 'é'.repeat(120_000);
    const list = Array.from({ length: 20 }, (_, n) => trade('A', n, { note }));
    expect(await producer.publishEvents(list)).toEqual({ accepted: 20, rejected: [] });
    expect(gateway.posts).toHaveLength(5);
    for (const { bytes } of gateway.posts) expect(bytes).toBeLessThanOrEqual(1024 * 1024);
  });

  test('503 and lost answers are tried again with one id, each signed afresh, as Retry-After asks', async () => {
    const gateway = new FakeGateway(takeAll);
    let now = 1_700_000_000_000;
    const { producer, waits } = await connect(gateway, {
      now: () => {
        now += 1_000;
        return now;
      },
    });
    gateway.fates.push({ status: 503, headers: { 'retry-after': '3' } }, 'lose', { status: 429 });
    const { topic, event } = trade('A', 1);
    await producer.publishEvent(topic, event);
    expect(waits).toEqual([3_200, 400, 800]);
    expect(new Set(gateway.posts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(gateway.posts.map(({ signature }) => signature)).size).toBe(4);
  });

  test('after five attempts it is gateway_unavailable, for those behind too; then it goes on', async () => {
    const gateway = new FakeGateway(takeAll);
    gateway.otherwise = { status: 503 };
    let second: Promise<PublishResult> | undefined;
    const { producer } = await connect(gateway, {
      wait: async () => {
        second ??= producer.publishEvents([trade('A', 2)]);
      },
    });
    const first = await producer.publishEvents([trade('A', 1)]);
    for (const { rejected } of [first, (await second) ?? expect.unreachable()]) {
      expect(rejected).toEqual([
        expect.objectContaining({ index: 0, code: 'gateway_unavailable' }),
      ]);
    }
    expect(gateway.posts).toHaveLength(5);
    gateway.otherwise = 'pass';
    expect((await producer.publishEvents([trade('A', 3)])).accepted).toBe(1);
  });

  test('after a 429 POSTs keep 300 ms apart, so that what is published meanwhile shares one', async () => {
    const gateway = new FakeGateway(takeAll);
    let now = 1_700_000_000_000;
    const posted: number[] = [];
    const { producer } = await connect(gateway, {
      now: () => now,
      fetch: (url, init) => {
        posted.push(now);
        return gateway.post(url, init);
      },
      wait: async (ms) => {
        now += ms;
      },
    });
    const publish = (n: number) => producer.publishEvents([trade('A', n)]);
    await publish(0);
    await publish(1);
    gateway.fates.push({ status: 429, headers: { 'retry-after': '2' } });
    await Promise.all([publish(2), publish(3)]);
    for (let n = 4; n < 8; n++) await publish(n);
    now += 301_000;
    await publish(8);
    await publish(9);
    const gaps = posted.slice(1).map((at, index) => at - (posted[index] ?? 0));
    expect(gaps).toEqual([0, 0, 2_200, 300, 300, 300, 300, 301_000, 0]);
  });

  test('a 429 to the end is reported by the Worker’s code, and what follows keeps to Retry-After', async () => {
    const gateway = new FakeGateway(takeAll);
    const body = { error: { code: 'batch_too_frequent', message: 'later' } };
    gateway.otherwise = { status: 429, body, headers: { 'retry-after': '1' } };
    const { producer, waits } = await connect(gateway, { now: () => 1_700_000_000_000 });
    const { topic, event } = trade('A', 1);
    await expect(producer.publishEvent(topic, event)).rejects.toMatchObject({
      code: 'batch_too_frequent',
      retry: true,
    });
    expect(gateway.posts).toHaveLength(5);
    gateway.otherwise = 'pass';
    await producer.publishEvent(topic, event);
    expect(waits).toEqual([1_200, 1_400, 1_800, 2_600, 1_000]);
  });

  test('a publish ends within a minute, whatever Retry-After asks for', async () => {
    const gateway = new FakeGateway(takeAll);
    gateway.otherwise = { status: 503, headers: { 'retry-after': '86400' } };
    const startedAt = 1_700_000_000_000;
    let now = startedAt;
    const { producer } = await connect(gateway, {
      now: () => now,
      fetch: (url, init) => {
        now += 9_000;
        return gateway.post(url, init);
      },
      wait: async (ms) => {
        now += ms;
      },
    });
    const { topic, event } = trade('A', 1);
    const refused = { code: 'gateway_unavailable', retry: true };
    await expect(producer.publishEvent(topic, event)).rejects.toMatchObject(refused);
    expect(now - startedAt).toBeLessThanOrEqual(60_000);
  });

  test('a fetch that never answers, and heeds no signal, is given up', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    onTestFinished(() => timeout.mockRestore());
    const { producer } = await connect(new FakeGateway(), { fetch: () => new Promise(() => {}) });
    const { topic, event } = trade('A', 1);
    const refused = { code: 'gateway_unavailable', retry: true };
    await expect(producer.publishEvent(topic, event)).rejects.toMatchObject(refused);
    expect(timeout).toHaveBeenCalledWith(10_000);
  });

  test('413 is split down to the one that is too large', async () => {
    const gateway = new FakeGateway(async (url, init) => {
      const text = new TextDecoder().decode(init.body);
      return text.includes('"t5"') ? Response.json(TOO_LARGE, { status: 413 }) : takeAll(url, init);
    });
    const { producer } = await connect(gateway);
    const list = Array.from({ length: 9 }, (_, n) => trade('A', n));
    const { accepted, rejected } = await producer.publishEvents(list);
    expect(accepted).toBe(8);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([[5, 'event_too_large']]);
  });
});

describe('before the real Worker', () => {
  let worker: RunningWorker;
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'gateway-http-'));
    const port = await freePort();
    worker = await startWorker({ port, stateDir });
    return async () => {
      await worker.stop();
      await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
    };
  });
  const tradeIds = (frames: readonly string[]) =>
    frames.flatMap((frame) => [...frame.matchAll(/"tradeId":"(\w+)"/g)].map(([, id]) => id));

  test('events arrive, in order; bad ones are refused one by one and cost no good one', async () => {
    const symbol = uniqueName('S').slice(0, 40);
    const { producer } = await connect(new FakeGateway(), { url: worker.url });
    const list = [
      trade(symbol, 0),
      trade(symbol, 1, { side: 'hold' }),
      { ...trade(symbol, 2), topic: 'nothing' },
      trade(symbol, 3),
      trade(symbol, 4, { constructor: 1 }),
    ];
    const { accepted, rejected } = await producer.publishEvents(list);
    expect(accepted).toBe(2);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [1, 'data_invalid'],
      [2, 'topic_unknown'],
      [4, 'forbidden_key'],
    ]);
    const frames = listen(worker.url, `trade:${symbol}`);
    await until('the trades', () => tradeIds(frames).length >= 2);
    expect(tradeIds(frames)).toEqual(['t0', 't3']);
  });

  test('a lost answer does not deliver twice', async () => {
    const symbol = uniqueName('S').slice(0, 40);
    const gateway = new FakeGateway();
    gateway.fates.push('lose_answer', 'lose_answer');
    const { producer } = await connect(gateway, { url: worker.url });
    expect((await producer.publishEvents([trade(symbol, 1), trade(symbol, 2)])).accepted).toBe(2);
    expect(gateway.posts).toHaveLength(3);
    await producer.publishEvents([trade(symbol, 3)]);
    const frames = listen(worker.url, `trade:${symbol}`);
    await until('the last trade', () => tradeIds(frames).includes('t3'));
    expect(tradeIds(frames)).toEqual(['t1', 't2', 't3']);
  });

  test('a Worker that is down for a while, and a queue that waits for it', async () => {
    const room = uniqueName('S').slice(0, 40);
    const dropped: unknown[] = [];
    const service = new NotificationService({
      http: { url: worker.url, secret: DEVELOPMENT_PUBLISHER_SECRET, wait: async () => {} },
    });
    const queue = new NotificationQueue(service, { onDropped: (...drop) => dropped.push(drop) });
    await worker.stop();
    for (let n = 0; n < 20; n++) {
      const target = { type: 'all' };
      await queue.addNotification({ type: 'came_back', target, data: { tradeId: `n${n}`, room } });
    }
    expect(await queue.drain({ timeoutMs: 1_000 })).toBe(false);
    worker = await startWorker({ port: Number(new URL(worker.url).port), stateDir });
    expect(await queue.drain({ timeoutMs: 20_000 })).toBe(true);
    expect(dropped).toEqual([]);
    await queue.shutdown();
    await service.shutdown();
    const frames = listen(worker.url, 'system');
    await until('the last', () => frames.some((frame) => frame.includes('"n19"')));
    expect(tradeIds(frames)).toEqual(Array.from({ length: 20 }, (_, n) => `n${n}`));
  });

  test.each([
    [
      'a secret that is unknown',
      `whsec_${Buffer.alloc(32, 9).toString('base64')}`,
      'signature_invalid',
    ],
  ])('%s is told at once', async (_, secret, code) => {
    const gateway = new FakeGateway();
    const { producer } = await connect(gateway, { url: worker.url, secret });
    const { topic, event } = trade('A', 1);
    await expect(producer.publishEvent(topic, event)).rejects.toMatchObject({ code, retry: false });
    expect(gateway.posts).toHaveLength(1);
  });

  test('a clock that is an hour late is signature_stale', async () => {
    const gateway = new FakeGateway();
    const now = () => Date.now() - 3_600_000;
    const { producer } = await connect(gateway, { url: worker.url, now });
    const { topic, event } = trade('A', 1);
    await expect(producer.publishEvent(topic, event)).rejects.toMatchObject({
      code: 'signature_stale',
    });
  });

  test('the secret may be one of several in rotation', async () => {
    const old = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    const secret = `${old},${DEVELOPMENT_INGEST_SECRET}`;
    const { producer } = await connect(new FakeGateway(), { url: worker.url, secret });
    expect((await producer.publishEvents([trade('ROTATED', 1)])).accepted).toBe(1);
  });
});
