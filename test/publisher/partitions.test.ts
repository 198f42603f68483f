/** Partitions that are added to a topic while a publisher runs. */
import type { Admin } from 'kafkajs';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { KafkaEventProducer } from '../../bridge/publisher/kafka/kafka-event-producer.ts';
import { kafka as connectTo, read, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';

const NAME = 'price.updates';
const event = (symbol: string) =>
  ({ type: 'price_update', symbol, data: { price: '1' }, timestamp: 1_703_123_456_789 }) as const;

/** A publisher on a clock that a test moves, and a topic of its own with one partition. */
async function start() {
  const topicPrefix = `${uniqueName('partitions')}.`;
  const topic = topicPrefix + NAME;
  const admin: Admin = connectTo().admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  let now = Date.now();
  const brokers = inject('kafkaBrokers');
  const producer = new KafkaEventProducer({ brokers, topicPrefix, now: () => now }, {});
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return {
    producer,
    topic,
    pass: (ms: number) => {
      now += ms;
    },
    async grow(count: number) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] });
      await until('the new partitions', async () => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        const partitions = topics[0]?.partitions ?? [];
        return partitions.length === count && partitions.every(({ leader }) => leader >= 0);
      });
    },
  };
}

describe('a partition that was added', () => {
  test('can be published to a second later', async () => {
    const { producer, topic, grow, pass } = await start();
    await producer.publishEvent(NAME, event('A'), 0);
    await grow(3);
    pass(1_001);
    await producer.publishEvent(NAME, event('B'), 2);
    const records = await read(topic);
    const found = await until('both', () => records.length === 2 && records);
    expect(found.map(({ partition }) => partition).sort()).toEqual([0, 2]);
  });

  test('takes its keys after ten seconds, and what is confirmed is there', async () => {
    const { producer, topic, grow, pass } = await start();
    await producer.publishEvent(NAME, event('A'));
    await grow(8);
    pass(10_001);
    const list = Array.from({ length: 40 }, (_, n) => ({ topic: NAME, event: event(`S${n}`) }));
    expect(await producer.publishEvents(list)).toEqual({ accepted: 40, rejected: [] });
    const records = await read(topic);
    await until('all', () => records.length === 41);
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(3);
  });

  test('one that a topic does not have is refused by name', async () => {
    const { producer, pass } = await start();
    for (let n = 0; n < 2; n++) {
      await expect(producer.publishEvent(NAME, event('A'), 1)).rejects.toMatchObject({
        code: 'partition_invalid',
      });
      pass(2_000);
    }
  });
});
