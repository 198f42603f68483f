/** An estate that writes a prefix before the names of its topics. */
import { describe, expect, inject } from 'vitest';
import { KafkaEventProducer } from '../../bridge/publisher/kafka/kafka-event-producer.ts';
import { read, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { test } from './fixture.ts';

const event = (symbol: string) =>
  ({ type: 'price_update', symbol, data: { price: '1' }, timestamp: 1_703_123_456_789 }) as const;

describe('TOPIC_PREFIX', () => {
  test('stands before topics and dead-letter topics in Kafka, and the Worker gets the plain names', async ({
    worker,
    run,
  }) => {
    const prefix = `${uniqueName('estate')}.`;
    worker.behave = () => ({
      kind: 'append',
      reject: ({ value }) =>
        (value as { symbol?: string }).symbol === 'B' ? 'symbol_invalid' : undefined,
    });
    const verified = { KAFKA_TOPICS_VERIFY: 'true', TOPIC_PREFIX: prefix };
    await run(['price.updates', `${prefix}trade.notifications`], verified);
    const brokers = inject('kafkaBrokers');
    const producer = new KafkaEventProducer({ brokers }, { TOPIC_PREFIX: prefix });
    await producer.connect();
    await producer.publishEvent('price.updates', event('A'));
    await producer.publishEvent('price.updates', event('B'));

    const [arrived] = await worker.arrival('price.updates', 1);
    expect(arrived?.value).toMatchObject({ symbol: 'A' });
    expect(worker.batches[0]?.batch.source).not.toBe('');
    const letters = await read(`${prefix}price.updates.dlq`);
    const letter = await until('a dead letter', () => letters[0]);
    expect(letter.headers).toMatchObject({
      'dlq.code': 'symbol_invalid',
      'dlq.topic': `${prefix}price.updates`,
    });
    await producer.disconnect();
  });

  test('is part of the name of a missing topic in the error of the SDK', async () => {
    const topicPrefix = `${uniqueName('estate')}.`;
    const producer = new KafkaEventProducer({ brokers: inject('kafkaBrokers'), topicPrefix }, {});
    await producer.connect();
    await expect(producer.publishEvent('price.updates', event('A'))).rejects.toMatchObject({
      code: 'topic_missing',
      message: expect.stringContaining(`${topicPrefix}price.updates`),
    });
    await producer.disconnect();
  });
});
