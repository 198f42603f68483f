/**
 * One life of an idempotent producer, and what it knows of the topics. It is thrown away after a
 * send of which nobody knows the end, because of what kafkajs 2.2.4 does then: it takes the sequence
 * numbers of a failed send back, although Kafka may have written the records. The next send under
 * those numbers would be taken for a repetition of the one before, answered as written, and dropped;
 * or be refused as out of order for ever. A new producer has an id of its own and counts from 0.
 * Two more reasons: a producer whose `connect` failed half-way sends without idempotence, and one
 * that knew a topic which was deleted fails for all others.
 */
import kafkajs, { type Admin, type Kafka, type Message, type Producer } from 'kafkajs';
import { errorTypes } from '../../kafka/kafka-error.ts';
import { REQUEST_TIMEOUT_MS, RETRY } from './kafka-client.ts';

/** How long the metadata of a topic is believed, in ms. It is kafkajs's own value. */
const TOPIC_AGE_MS = 300_000;
/** How long a topic is believed to be missing, in ms: it may be created any moment. */
const MISSING_TOPIC_AGE_MS = 1_000;
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
  readonly #topics = new Map<
    string,
    { until: number; partitions: PartitionMetadata | undefined }
  >();

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

  /** The topic's partitions; undefined when Kafka has no such topic. @throws what kafkajs throws. */
  async partitionsOf(topic: string): Promise<PartitionMetadata | undefined> {
    const known = this.#topics.get(topic);
    if (known !== undefined && known.until > this.#now()) return known.partitions;
    const partitions = await this.#fetchPartitions(topic);
    const age = partitions === undefined ? MISSING_TOPIC_AGE_MS : TOPIC_AGE_MS;
    this.#topics.set(topic, { until: this.#now() + age, partitions });
    return partitions;
  }

  /** @param topicMessages each with its partition. @throws what kafkajs throws. */
  async send(sends: readonly TopicMessages[]): Promise<void> {
    const topicMessages = sends.map(({ topic, messages }) => ({
      topic: this.nameOf(topic),
      messages,
    }));
    await this.#producer.sendBatch({ acks: -1, timeout: ACKNOWLEDGE_WITHIN_MS, topicMessages });
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
