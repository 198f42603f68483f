import kafkajs from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { Consumer } from '../../bridge/kafka/consumer.ts';
import { createTopic, kafka, produce, uniqueName } from '../support/kafka.ts';

const PARTITION = { topic: 'price.updates', partition: 0 };

test('a consumer that does not run lets lanes pause and resume, as they do while it crashes', () => {
  const nowhere = new kafkajs.Kafka({
    brokers: ['127.0.0.1:9'],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const options = { groupId: 'group', topics: [PARTITION.topic], sessionTimeoutMs: 10_000 };
  const consumer = new Consumer(nowhere, options);
  expect(() => consumer.pause(PARTITION)).not.toThrow();
  expect(() => consumer.resume(PARTITION)).not.toThrow();
});

test('a bug in what is done with a fetch ends the consumer at once, with its cause', async () => {
  const topic = uniqueName('topic');
  await createTopic(topic);
  await produce(topic, [{ value: '{}' }]);
  const options = { groupId: uniqueName('group'), topics: [topic], sessionTimeoutMs: 10_000 };
  const consumer = new Consumer(kafka(), options);
  onTestFinished(() => consumer.stop());
  const bug = new TypeError('fetch failed');
  await consumer.start({
    assigned: () => {},
    fetched: () => Promise.reject(bug),
    reset: () => {},
  });
  expect(await consumer.crashed).toBe(bug);
});
