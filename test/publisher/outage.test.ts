/** Kafka is killed, hangs or drops connections while it is published to. */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  KafkaEventProducer,
  NotificationQueue,
  NotificationService,
  PublishError,
} from '../../bridge/publisher/index.ts';
import { until } from '../support/until.ts';
import { OwnKafka, type StoredRecord } from './own-kafka.ts';

let kafka: OwnKafka;
beforeAll(async () => {
  kafka = await OwnKafka.start();
  return () => kafka.stop();
});

/** Two starts of Kafka, beside whatever else this machine does. */
const KILLED_TWICE_MS = 180_000;

const numberOf = ({ text }: StoredRecord): number => JSON.parse(text).data.n;

/** The records' numbers by key, in Kafka's order. */
function numbersByKey(records: readonly StoredRecord[]): Map<string, number[]> {
  const groups = Map.groupBy(records, ({ key }) => key);
  return new Map([...groups].map(([key, own]) => [key, own.map(numberOf)]));
}

test(
  'a queue outlasts Kafka killed twice: all that it held arrives, in order, each drop told',
  async () => {
    const service = new NotificationService({ kafka: { brokers: kafka.brokers } });
    const dropped: { target: string | null | undefined; n: unknown; code: string }[] = [];
    const maxSize = 500;
    const queue = new NotificationQueue(service, {
      maxSize,
      onDropped: ({ target, data }, { code }) =>
        dropped.push({ target: target.id, n: Reflect.get(data, 'n'), code }),
    });
    const users = 20;
    let added = 0;
    const add = (count: number) => {
      for (const end = added + count; added < end; added++) {
        const target = { type: 'user', id: `u${added % users}` };
        void queue.addNotification({ type: 'note', target, data: { n: added } });
      }
    };
    for (let round = 0; round < 2; round++) {
      // A steady stream, so that a send is under way when Kafka goes.
      let streaming = true;
      const stream = (async () => {
        while (streaming) {
          add(20);
          await sleep(5);
        }
      })();
      await sleep(500);
      await kafka.kill();
      await until(
        'a full queue',
        () => queue.size === maxSize && dropped.length > 50 * (round + 1),
      );
      streaming = false;
      await stream;
      await kafka.restart();
      expect(await queue.drain({ timeoutMs: 30_000 })).toBe(true);
    }
    add(100);
    await queue.shutdown();
    await service.shutdown();

    expect(new Set(dropped.map(({ code }) => code))).toEqual(new Set(['queue_full']));
    const lost = new Set(dropped.map(({ n }) => n));
    const byUser = numbersByKey(await kafka.stored('notifications'));
    let repeated = 0;
    for (let user = 0; user < users; user++) {
      const found = byUser.get(`u${user}`) ?? [];
      const expected = Array.from({ length: added }, (_, n) => n).filter(
        (n) => n % users === user && !lost.has(n),
      );
      // Complete and in order, but for a repetition of what was under way when Kafka went.
      expect(found.filter((n, at) => n !== found[at - 1])).toEqual(expected);
      repeated += found.length - expected.length;
    }
    // At most the one batch of each outage of which nobody knows: a notification of each user.
    expect(repeated).toBeLessThanOrEqual(2 * users);
  },
  KILLED_TWICE_MS,
);

test('the same producer goes on after an outage: what was confirmed is there once and in order', async () => {
  const producer = new KafkaEventProducer({ brokers: kafka.brokers });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const confirmed: number[] = [];
  const unknown = new Set<number>();
  const codes = new Set<string>();
  let n = 0;
  let running = true;
  const publish = async (own: number) => {
    try {
      await producer.publishEvent('price.updates', {
        type: 'price_update',
        symbol: `FLOW-${own % 5}`,
        data: { price: 1, n: own },
        timestamp: Date.now(),
      });
      confirmed.push(own);
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      codes.add(error.code);
      unknown.add(own);
    }
  };
  const stream = (async () => {
    const all: Promise<void>[] = [];
    while (running) {
      for (let i = 0; i < 10; i++) all.push(publish(n++));
      await sleep(3);
    }
    await Promise.all(all);
  })();
  await until('a flow', () => confirmed.length > 200);
  await kafka.kill();
  await until('failures', () => unknown.size > 100);
  await kafka.restart();
  const before = confirmed.length;
  await until('a flow again', () => confirmed.length > before + 200);
  running = false;
  await stream;

  expect([...codes]).toEqual(['kafka_unavailable']);
  const byKey = numbersByKey(await kafka.stored('price.updates'));
  for (const [key, found] of byKey) {
    if (!key.startsWith('FLOW-')) continue;
    expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
    const due = confirmed.filter((own) => `FLOW-${own % 5}` === key);
    expect(due.filter((own) => !found.includes(own))).toEqual([]);
  }
});

const price = (symbol: string, n: number) => ({
  type: 'price_update',
  symbol,
  data: { price: 1, n },
  timestamp: Date.now(),
});

/** The numbers of a symbol's prices, in Kafka's order. */
async function storedOf(symbol: string): Promise<number[]> {
  return numbersByKey(await kafka.stored('price.updates')).get(symbol) ?? [];
}

/** A producer through which an event numbered 0 has gone: Kafka is there, and knows its topics. */
async function connectWarm(symbol: string): Promise<KafkaEventProducer> {
  const producer = new KafkaEventProducer({ brokers: kafka.brokers });
  onTestFinished(() => producer.disconnect());
  await until('a connection', async () => {
    await producer.connect();
    return true;
  });
  await producer.publishEvent('price.updates', price(symbol, 0));
  return producer;
}

/** Loses the next `count` answers to what is produced, Kafka having written it. */
function loseAnswers(count: number): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/broker');
  const { KafkaJSConnectionError } = require('kafkajs/src/errors');
  const produce: (request: unknown) => Promise<unknown> = prototype.produce;
  let left = count;
  prototype.produce = async function (request: unknown) {
    const answer = await produce.call(this, request);
    if (left-- > 0) throw new KafkaJSConnectionError('the answer is lost');
    return answer;
  };
  onTestFinished(() => {
    prototype.produce = produce;
  });
}

test('a retry after a lost answer makes no second record', async () => {
  const producer = await connectWarm('ONCE');
  loseAnswers(1);
  await producer.publishEvent('price.updates', price('ONCE', 1));
  await producer.publishEvent('price.updates', price('ONCE', 2));
  expect(await storedOf('ONCE')).toEqual([0, 1, 2]);
});

test('what is published after an event was given up is not taken for a repetition of it', async () => {
  const producer = await connectWarm('LOST');
  loseAnswers(4);
  await expect(producer.publishEvent('price.updates', price('LOST', 1))).rejects.toMatchObject({
    code: 'kafka_unavailable',
  });
  // kafkajs has taken its sequence numbers back by now, and would give them to this one.
  await producer.publishEvent('price.updates', price('LOST', 2));
  await producer.publishEvent('price.updates', price('LOST', 3));
  expect(await storedOf('LOST')).toEqual([0, 1, 2, 3]);
});

test('a Kafka that hangs fails what waits, and not longer than it hangs', async () => {
  const producer = await connectWarm('HUNG');
  const publish = (n: number) =>
    producer.publishEvents([{ topic: 'price.updates', event: price('HUNG', n) }]);
  kafka.signal('SIGSTOP');
  const first = publish(1);
  await sleep(50);
  const results = await Promise.all([first, publish(2)]);
  kafka.signal('SIGCONT');
  for (const { rejected } of results) {
    expect(rejected).toEqual([expect.objectContaining({ index: 0, code: 'kafka_unavailable' })]);
  }
  await until('it goes on', async () => (await publish(3)).accepted === 1);
  // The first was on its way, and may be there; what waited behind it was never sent.
  const found = new Set(await storedOf('HUNG'));
  expect(found.has(2)).toBe(false);
  expect([...found].filter((n) => n !== 1)).toEqual([0, 3]);
});
