/** The tests' own hands on Kafka: topics with unique names, a producer, an admin, dead letters. */
import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs';
import { registerCodecs } from '../../bridge/kafka/kafkajs/codecs/codecs.ts';
import { kafka as connectTo, type ReadRecord, read, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';

export interface Cluster {
  readonly admin: Admin;
  /** A topic of its own for a test, with its dead-letter topic. */
  createTopic(partitions?: number, config?: Record<string, string>): Promise<string>;
  /** Deletes a topic and creates it at once; resolves when what is produced goes into the new log. */
  recreateTopic(topic: string): Promise<void>;
  produce(topic: string, messages: Message[], compression?: number): Promise<void>;
  /** The first `count` records of `{topic}.dlq`, once they are there. */
  deadLetters(topic: string, count: number): Promise<ReadRecord[]>;
  /** How many records `{topic}.dlq` has. */
  countDeadLetters(topic: string): Promise<number>;
  /** Resolves once `groupId` has committed `offset`. */
  committed(groupId: string, topic: string, offset: number): Promise<void>;
  /** A producer whose messages exist only once it commits. */
  transactional(): Promise<Producer>;
  disconnect(): Promise<void>;
}

export async function connectCluster(): Promise<Cluster> {
  registerCodecs();
  const kafka = connectTo();
  const admin = kafka.admin();
  await admin.connect();

  return {
    admin,
    async createTopic(partitions = 1, config = {}) {
      const topic = uniqueName('topic');
      const configEntries = [
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
        ...Object.entries(config).map(([name, value]) => ({ name, value })),
      ];
      await admin.createTopics({
        topics: [
          { topic, numPartitions: partitions, configEntries },
          {
            topic: `${topic}.dlq`,
            numPartitions: 1,
            configEntries: [{ name: 'max.message.bytes', value: '1000000' }],
          },
        ],
      });
      return topic;
    },
    async recreateTopic(topic) {
      await admin.deleteTopics({ topics: [topic] });
      // kafkajs would wait for its leader, and fails when a broker does not know the new topic yet.
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
      // A broker takes records under the topic's name into the old log until that is closed.
      await until('an empty log', async () => {
        const [range] = await admin.fetchTopicOffsets(topic).catch(() => []);
        return range?.high === '0';
      });
    },
    async produce(topic, messages, compression = kafkajs.CompressionTypes.None) {
      // A producer that knew a topic which was deleted fails for all others, so each call has its own.
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      await producer.send({ topic, messages, acks: -1, compression });
      await producer.disconnect();
    },
    async countDeadLetters(topic) {
      const [range] = await admin.fetchTopicOffsets(`${topic}.dlq`);
      return Number(range?.high ?? 0);
    },
    async deadLetters(topic, count) {
      const letters = await read(`${topic}.dlq`);
      return until(`${count} dead letters`, () => letters.length >= count && letters);
    },
    async committed(groupId, topic, offset) {
      await until(`a commit of ${offset}`, async () => {
        const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return found?.partitions[0]?.offset === String(offset);
      });
    },
    async transactional() {
      const transactional = kafka.producer({
        transactionalId: randomUUID(),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await transactional.connect();
      return transactional;
    },
    async disconnect() {
      await admin.disconnect();
    },
  };
}

/** `count` records that say which they are, from `first` on. */
export function numbered(count: number, first = 0, partition = 0): Message[] {
  return Array.from({ length: count }, (_, index) => ({
    partition,
    key: 'BTC-USDC',
    value: JSON.stringify({ n: first + index }),
  }));
}
