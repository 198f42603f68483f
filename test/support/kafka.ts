/** Small actors on the run's Kafka: topics with names of their own, a producer, a reader. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Message, Partitioners, type RecordMetadata } from 'kafkajs';
import { inject, onTestFinished } from 'vitest';
import { patchKafkajs } from '../../bridge/kafka/kafkajs/patch.ts';

/** A record as a consumer got it. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The run's broker, unless another is named. */
export function kafka(brokers: readonly string[] = inject('kafkaBrokers')): Kafka {
  patchKafkajs();
  return new Kafka({ clientId: 'test', brokers: [...brokers], logLevel: logLevel.NOTHING });
}

/** `orders-6f1c…`: what another test cannot have chosen. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

export async function createTopic(
  topic: string,
  partitions = 1,
  brokers?: readonly string[],
): Promise<void> {
  const admin = kafka(brokers).admin();
  await admin.connect();
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions }],
      waitForLeaders: true,
    });
  } finally {
    await admin.disconnect();
  }
}

/** Writes `messages` into `topic`, as one request for each partition. */
export async function produce(
  topic: string,
  messages: Message[],
  brokers?: readonly string[],
): Promise<RecordMetadata[]> {
  const producer = kafka(brokers).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    return await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}

/**
 * Everything in `topic` from its beginning on, as it comes, into the array given back; until the
 * test has finished.
 */
export async function read(topic: string, brokers?: readonly string[]): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  const consumer = kafka(brokers).consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 50 });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      records.push({
        topic,
        partition,
        offset: message.offset,
        timestamp: Number(message.timestamp),
        key: message.key?.toString(),
        value: message.value ?? Buffer.alloc(0),
        headers: headersOf(message.headers),
      });
    },
  });
  return records;
}

function headersOf(headers: Message['headers'] = {}): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(entries);
}
