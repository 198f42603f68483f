/**
 * Publishes into Kafka. Each send is cut by the broker that leads its partitions, because kafkajs
 * retries a send that one broker refused while another's answer is still under way, and the other
 * then gets it twice, under new sequence numbers. Within one broker a retry is the same request
 * under the same numbers, which Kafka recognises.
 */
import kafkajs, { type Kafka } from 'kafkajs';
import type { Environment } from '../../../worker/protocol/environment/variables.ts';
import { readTopicPrefix } from '../../shared/topic-prefix.ts';
import { PublishError } from '../errors.ts';
import type { DEXEvent, NotificationEvent } from '../events.ts';
import type { Outcome, Sent } from '../outbox/coalescer.ts';
import { Outbox, type OutgoingEvent } from '../outbox/outbox.ts';
import { Publishing } from '../outbox/publishing.ts';
import type { EventProducer, EventRecord, PublishResult } from '../producer.ts';
import { createKafkaClient, type KafkaProducerOptions } from './kafka-client.ts';
import { failureOf, faultOf } from './kafka-failure.ts';
import { type PartitionMetadata, ProducerLife, type TopicMessages } from './producer-life.ts';

/** kafkajs groups a send by partition in quadratic time, so more is not quicker. */
const MAX_SEND_RECORDS = 500;
/** The size of one send over all partitions, in bytes. A broker takes 1 MiB for each by default. */
const MAX_SEND_BYTES = 900_000;

/** An event, its place in the send and its partition. */
interface PlacedEvent {
  readonly index: number;
  readonly event: OutgoingEvent;
  readonly partition: number;
}

/**
 * Publishes events into Kafka: idempotent, keyed by symbol, user or room, stamped with the event's
 * own time. One object is good for a process's life: when Kafka was away it goes on as soon as Kafka
 * is back.
 *
 * An event that fails with `kafka_unavailable` may have been written; to publish it again may write
 * it twice. Events that follow it in the same order are then failed too, and were not written.
 *
 * @example
 * import { KafkaEventProducer } from '@moonx-farm/websocket-gateway';
 *
 * const producer = new KafkaEventProducer({ brokers: ['localhost:9092'] });
 * await producer.connect();
 * await producer.publishEvent('price.updates', {
 *   type: 'price_update',
 *   symbol: 'BTC-USDC',
 *   data: { price: '45000.50' },
 *   timestamp: Date.now(),
 * });
 * await producer.disconnect();
 */
export class KafkaEventProducer implements EventProducer {
  readonly #kafka: Kafka;
  readonly #topicPrefix: string;
  readonly #now: () => number;
  readonly #publishing: Publishing;
  readonly #partitioner = kafkajs.Partitioners.DefaultPartitioner();
  #life: Promise<ProducerLife> | undefined;

  /** @throws {ConfigError} naming the variable that cannot be used. */
  constructor(options: KafkaProducerOptions = {}, env: Environment = process.env) {
    this.#kafka = createKafkaClient(options, env);
    this.#topicPrefix = readTopicPrefix({
      TOPIC_PREFIX: options.topicPrefix ?? env.TOPIC_PREFIX,
    });
    this.#now = options.now ?? Date.now;
    const outbox = new Outbox(
      {
        send: (events) => this.#send(events),
        maxItems: MAX_SEND_RECORDS,
        maxBytes: MAX_SEND_BYTES,
      },
      this.#now,
    );
    this.#publishing = new Publishing(outbox, {
      open: () => this.#connect(),
      close: () => this.#close(),
    });
  }

  connect(): Promise<void> {
    return this.#publishing.connect();
  }

  publishEvent(
    topic: string,
    event: DEXEvent | NotificationEvent,
    partition?: number | null,
  ): Promise<void> {
    return this.#publishing.publishEvent({ topic, event, partition });
  }

  publishEvents(records: readonly EventRecord[]): Promise<PublishResult> {
    return this.#publishing.publishEvents(records);
  }

  disconnect(): Promise<void> {
    return this.#publishing.disconnect();
  }

  async #connect(): Promise<void> {
    try {
      await this.#openLife();
    } catch (error) {
      throw failureOf(error);
    }
  }

  async #close(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    // A life that is still being opened has to be waited for, or it would stay.
    await (await life?.catch(() => undefined))?.close();
  }

  /** The present life, or a new one; callers at the same time share it. */
  #openLife(): Promise<ProducerLife> {
    if (this.#life !== undefined) return this.#life;
    const opening = ProducerLife.open(this.#kafka, this.#now, this.#topicPrefix);
    this.#life = opening;
    opening.catch(() => {
      if (this.#life === opening) this.#life = undefined;
    });
    return opening;
  }

  /** The next send gets a new life. */
  #discard(life: ProducerLife): void {
    this.#life = undefined;
    void life.close();
  }

  async #send(events: readonly OutgoingEvent[]): Promise<Sent> {
    const outcomes: Outcome[] = events.map(() => undefined);
    let life: ProducerLife;
    try {
      life = await this.#openLife();
    } catch (error) {
      const failure = failureOf(error);
      return { outcomes: events.map(() => failure), failure };
    }
    const topics = await lookUp(life, events);
    if (topics instanceof PublishError) {
      this.#discard(life);
      return { outcomes: events.map(() => topics), failure: topics };
    }
    if (life.isOutgrown) {
      this.#discard(life);
      return this.#send(events);
    }
    const byLeader = this.#place(events, topics, outcomes);
    const failures = await Promise.all(
      Array.from(byLeader.values(), (placed) => this.#sendTo(life, placed, outcomes)),
    );
    const failure = failures.find((found) => found !== undefined);
    if (failure !== undefined) this.#discard(life);
    return { outcomes, failure };
  }

  /** Each event's partition, by the broker that leads it; an event that has none gets its outcome. */
  #place(
    events: readonly OutgoingEvent[],
    topics: ReadonlyMap<string, PartitionMetadata | PublishError>,
    outcomes: Outcome[],
  ): Map<number, PlacedEvent[]> {
    const byLeader = new Map<number, PlacedEvent[]>();
    for (const [index, event] of events.entries()) {
      const { topic, key } = event;
      const partitionMetadata = topics.get(topic) ?? [];
      if (partitionMetadata instanceof PublishError) {
        outcomes[index] = partitionMetadata;
        continue;
      }
      const message = { key, value: '' };
      const partition = event.partition ?? this.#partitioner({ topic, partitionMetadata, message });
      const found = partitionMetadata.find(({ partitionId }) => partitionId === partition);
      if (found === undefined) {
        // A caller without types may ask for anything.
        const name = typeof partition === 'number' ? partition : `of type ${typeof partition}`;
        const text = `${topic} has no partition ${name}`;
        outcomes[index] = new PublishError('partition_invalid', text);
        continue;
      }
      const placed = byLeader.get(found.leader) ?? [];
      byLeader.set(found.leader, placed);
      placed.push({ index, event, partition });
    }
    return byLeader;
  }

  /** Sends to one broker; undefined unless Kafka has no answer for some of it. */
  async #sendTo(
    life: ProducerLife,
    placed: readonly PlacedEvent[],
    outcomes: Outcome[],
  ): Promise<PublishError | undefined> {
    try {
      await life.send(toMessages(placed));
      return undefined;
    } catch (error) {
      const fault = faultOf(error);
      if (fault !== undefined) return this.#sendApart(life, placed, outcomes, fault);
      const failure = failureOf(error);
      for (const { index } of placed) outcomes[index] = failure;
      return failure;
    }
  }

  /**
   * Finds the record that Kafka will not have. First each partition by itself: those that were
   * written in the refused request come again unchanged and under the same sequence numbers, so
   * Kafka knows them. Then the halves of the partition that is refused, of which nothing was written.
   */
  async #sendApart(
    life: ProducerLife,
    placed: readonly PlacedEvent[],
    outcomes: Outcome[],
    fault: PublishError,
  ): Promise<PublishError | undefined> {
    const [first] = placed;
    if (placed.length === 1 && first !== undefined) {
      outcomes[first.index] = fault;
      return undefined;
    }
    const byPartition = new Map<string, PlacedEvent[]>();
    for (const event of placed) {
      const name = `${event.event.topic}/${event.partition}`;
      const list = byPartition.get(name) ?? [];
      byPartition.set(name, list);
      list.push(event);
    }
    const middle = Math.ceil(placed.length / 2);
    const parts =
      byPartition.size > 1
        ? [...byPartition.values()]
        : [placed.slice(0, middle), placed.slice(middle)];
    for (const [at, part] of parts.entries()) {
      const failure = await this.#sendTo(life, part, outcomes);
      if (failure === undefined) continue;
      for (const { index } of parts.slice(at + 1).flat()) outcomes[index] = failure;
      return failure;
    }
    return undefined;
  }
}

/** Each topic's partitions or why it has none; or why nothing is known of any. */
async function lookUp(
  life: ProducerLife,
  events: readonly OutgoingEvent[],
): Promise<Map<string, PartitionMetadata | PublishError> | PublishError> {
  const topics = new Map<string, PartitionMetadata | PublishError>();
  const wanted = new Map<string, unknown[]>();
  for (const { topic, partition } of events) {
    const partitions = wanted.get(topic) ?? [];
    wanted.set(topic, partitions);
    if (partition !== undefined) partitions.push(partition);
  }
  for (const [name, partitions] of wanted) {
    try {
      const missing = new PublishError('topic_missing', `Kafka has no topic ${life.nameOf(name)}`);
      topics.set(name, (await life.partitionsOf(name, partitions)) ?? missing);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === 'kafka_unavailable') return failure;
      topics.set(name, failure);
    }
  }
  return topics;
}

function toMessages(placed: readonly PlacedEvent[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const { event, partition } of placed) {
    const { topic, key, text: value, timestamp } = event;
    const found = topics.get(topic) ?? { topic, messages: [] };
    topics.set(topic, found);
    found.messages.push({ key, value, partition, timestamp: String(timestamp) });
  }
  return [...topics.values()];
}
