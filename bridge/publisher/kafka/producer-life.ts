/**
 * One life of an idempotent producer, and what it knows of the topics. It is thrown away after a
 * send of which nobody knows the end, because of what kafkajs 2.2.4 does then: it takes the sequence
 * numbers of a failed send back, although Kafka may have written the records. The next send under
 * those numbers would be taken for a repetition of the one before, answered as written, and dropped;
 * or be refused as out of order for ever. A new producer has an id of its own and counts from 0.
 * Three more reasons: a producer whose `connect` failed half-way sends without idempotence, one that
 * knew a topic which was deleted fails for all others, and one that does not know a partition which was
 * added leaves out its records and says nothing.
 */
import kafkajs, {
  type Admin,
  type Kafka,
  type Message,
  type Producer,
  type RecordMetadata,
} from 'kafkajs';
import { errorTypes } from '../../kafka/kafka-error.ts';
import { REQUEST_TIMEOUT_MS, RETRY } from './kafka-client.ts';

/** How long it takes to see partitions that were added to a topic, in ms. */
const TOPIC_AGE_MS = 10_000;
/** How long a topic or a partition is believed to be missing, in ms: it may be created any moment. */
const MISSING_AGE_MS = 1_000;
/** Kafka gives up waiting for its replicas before we give up waiting for Kafka. */
const ACKNOWLEDGE_WITHIN_MS = REQUEST_TIMEOUT_MS - 1_000;

/** A topic's partitions. */
export type PartitionMetadata = Awaited<
  ReturnType<Admin['fetchTopicMetadata']>
>['topics'][number]['partitions'];

export interface TopicMessages {
  readonly topic: string;
  readonly messages: Message[];
}

export class ProducerLife {
  readonly #producer: Producer;
  readonly #admin: Admin;
  readonly #now: () => number;
  readonly #topicPrefix: string;
  readonly #topics = new Map<string, KnownTopic>();
  #isOutgrown = false;

  private constructor(producer: Producer, admin: Admin, now: () => number, topicPrefix: string) {
    this.#producer = producer;
    this.#admin = admin;
    this.#now = now;
    this.#topicPrefix = topicPrefix;
  }

  /** @throws what kafkajs throws. */
  static async open(kafka: Kafka, now: () => number, topicPrefix = ''): Promise<ProducerLife> {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 5_000,
      allowAutoTopicCreation: false,
      // Without it an idempotent producer of kafkajs tries for ever.
      retry: RETRY,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    const life = new ProducerLife(producer, kafka.admin(), now, topicPrefix);
    try {
      await Promise.all([producer.connect(), life.#admin.connect()]);
      return life;
    } catch (error) {
      await life.close();
      throw error;
    }
  }

  /**
   * The topic's partitions; undefined when Kafka has no such topic.
   * @param wanted are asked for: if one of them is not known, it may have been added a moment ago.
   * @throws what kafkajs throws.
   */
  async partitionsOf(
    topic: string,
    wanted: readonly unknown[] = [],
  ): Promise<PartitionMetadata | undefined> {
    const known = this.#topics.get(topic);
    if (known !== undefined) {
      const isWhole = wanted.every((id) => hasPartition(known.partitions, id));
      const age = known.partitions === undefined || !isWhole ? MISSING_AGE_MS : TOPIC_AGE_MS;
      if (this.#now() - known.at < age) return known.partitions;
    }
    const partitions = await this.#fetchPartitions(topic);
    this.#topics.set(topic, { at: this.#now(), partitions });
    // The producer looks a topic up when it first sends to it, which is after our first look.
    const before = known?.partitions;
    if (before !== undefined && before.length !== partitions?.length) this.#isOutgrown = true;
    return partitions;
  }

  /** Whether a topic has other partitions than the producer may know of. Then it must not be used. */
  get isOutgrown(): boolean {
    return this.#isOutgrown;
  }

  /** @param sends have the partition of each message. @throws what kafkajs throws. */
  async send(sends: readonly TopicMessages[]): Promise<void> {
    const topicMessages = sends.map(({ topic, messages }) => ({
      topic: this.nameOf(topic),
      messages,
    }));
    const options = { acks: -1, timeout: ACKNOWLEDGE_WITHIN_MS };
    const written = await this.#producer.sendBatch({ ...options, topicMessages });
    requireAll(topicMessages, written);
  }

  /** The name that Kafka knows. */
  nameOf(topic: string): string {
    return this.#topicPrefix + topic;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#producer.disconnect(), this.#admin.disconnect()]);
  }

  async #fetchPartitions(plain: string): Promise<PartitionMetadata | undefined> {
    const topic = this.nameOf(plain);
    try {
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
      return topics.find(({ name }) => name === topic)?.partitions;
    } catch (error) {
      if (errorTypes(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) return undefined;
      throw error;
    }
  }
}

interface KnownTopic {
  /** When Kafka was asked, by the publisher's clock. */
  readonly at: number;
  readonly partitions: PartitionMetadata | undefined;
}

function hasPartition(partitions: PartitionMetadata | undefined, id: unknown): boolean {
  return partitions?.some(({ partitionId }) => partitionId === id) ?? false;
}

/** kafkajs leaves out a partition that it does not know. What Kafka has not confirmed was not sent. */
function requireAll(sent: readonly TopicMessages[], written: readonly RecordMetadata[]): void {
  const places = new Set(written.map(({ topicName, partition }) => `${topicName}/${partition}`));
  for (const { topic, messages } of sent) {
    for (const { partition } of messages) {
      const place = `${topic}/${partition}`;
      if (!places.has(place)) throw new Error(`nothing was written to ${place}`);
    }
  }
}
