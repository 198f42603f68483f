import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { Consumer } from '../../bridge/kafka/consumer.ts';

const PARTITION = { topic: 'price.updates', partition: 0 };

test('a consumer that does not run lets lanes pause and resume, as they do while it crashes', () => {
  const kafka = new kafkajs.Kafka({ brokers: ['127.0.0.1:9'], logLevel: kafkajs.logLevel.NOTHING });
  const options = { groupId: 'group', topics: [PARTITION.topic], sessionTimeoutMs: 10_000 };
  const consumer = new Consumer(kafka, options);
  expect(() => consumer.pause(PARTITION)).not.toThrow();
  expect(() => consumer.resume(PARTITION)).not.toThrow();
});
