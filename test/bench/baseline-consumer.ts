/**
 * What the bridge is measured against: kafkajs as its documentation uses it, each value parsed, the
 * same batches POSTed unsigned, one batch of a partition at a time.
 */
import { Agent, request } from 'node:http';
import { Kafka, logLevel } from 'kafkajs';
import { MAX_BATCH_RECORDS } from '../../worker/protocol/batch/batch.ts';

const { KAFKA_BROKERS = '', KAFKA_GROUP_ID = '', KAFKA_TOPICS = '', URL: url = '' } = process.env;
const agent = new Agent({ keepAlive: true });

const consumer = new Kafka({
  brokers: KAFKA_BROKERS.split(','),
  logLevel: logLevel.NOTHING,
}).consumer({
  groupId: KAFKA_GROUP_ID,
  sessionTimeout: Number(process.env.SESSION_TIMEOUT_MS),
  maxWaitTimeInMs: 100,
});
await consumer.connect();
await consumer.subscribe({ topics: KAFKA_TOPICS.split(','), fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => console.log('joined'));
await consumer.run({
  partitionsConsumedConcurrently: 9,
  eachBatch: async ({ batch, resolveOffset, heartbeat, commitOffsetsIfNecessary }) => {
    const { topic, partition, messages } = batch;
    for (let from = 0; from < messages.length; from += MAX_BATCH_RECORDS) {
      const slice = messages.slice(from, from + MAX_BATCH_RECORDS);
      const records = slice.map(({ offset, timestamp, key, value }) => ({
        topic,
        partition,
        offset: Number(offset),
        timestamp: Number(timestamp),
        key: key?.toString(),
        value: JSON.parse(value?.toString() ?? 'null'),
      }));
      await post(JSON.stringify({ source: 'baseline', records }));
      resolveOffset(slice.at(-1)?.offset ?? '');
      await heartbeat();
    }
    await commitOffsetsIfNecessary();
    await consumer.commitOffsets([
      { topic, partition, offset: String(Number(batch.lastOffset()) + 1) },
    ]);
  },
});

function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent }, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
