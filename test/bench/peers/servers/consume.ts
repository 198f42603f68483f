/** What the peers on Node share: kafkajs as its documentation uses it, each value parsed. */
import type { Server } from 'node:http';
import { Kafka, logLevel } from 'kafkajs';

export interface PriceEvent {
  readonly type: string;
  readonly symbol: string;
}

/** Listens, and gives each event of the topic to `take`. The environment says where and what. */
export async function serveEvents(
  server: Server,
  take: (event: PriceEvent) => void,
): Promise<void> {
  const { PORT, KAFKA_BROKERS = '', KAFKA_TOPICS = '', KAFKA_GROUP_ID = '' } = process.env;
  server.listen(Number(PORT), '127.0.0.1');
  const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: KAFKA_GROUP_ID });
  await consumer.connect();
  await consumer.subscribe({ topics: KAFKA_TOPICS.split(',') });
  await consumer.run({
    eachMessage: async ({ message }) => take(JSON.parse(message.value?.toString() ?? 'null')),
  });
}
