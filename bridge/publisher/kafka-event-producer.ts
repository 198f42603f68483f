/**
 * Publishes into Kafka. Each send is cut by the broker that leads its partitions, because kafkajs
 * retries a send that one broker refused while another's answer is still under way, and the other
 * then gets it twice, under new sequence numbers. Within one broker a retry is the same request
 * under the same numbers, which Kafka recognises.
 */
import kafkajs, { type Kafka } from 'kafkajs';
import type { Environment } from '../../worker/protocol/variables.ts';
import type { Outcome, Sent } from './coalescer.ts';
import { PublishError } from './errors.ts';
import type { DEXEvent, NotificationEvent } from './events.ts';
import { createKafkaClient, type KafkaProducerOptions } from './kafka-client.ts';
import { failureOf, faultOf } from './kafka-failure.ts';
import { KafkaSession, type PartitionMetadata, type TopicMessages } from './kafka-session.ts';
import { Outbox, type OutgoingEvent } from './outbox.ts';
import type { EventProducer, EventRecord, PublishResult } from './producer.ts';

/** kafkajs groups a send by partition in quadratic time, so more is not quicker. */
const MAX_SEND_RECORDS = 500;
/** Of all partitions together; a broker takes 1 MiB for each by default. */
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
  readonly #now: () => number;
  readonly #outbox: Outbox;
  readonly #partitioner = kafkajs.Partitioners.DefaultPartitioner();
  #session: Promise<KafkaSession> | undefined;
  #connected = false;
  /** How often `disconnect` has been called: a `connect` that it overtook must leave nothing open. */
  #disconnects = 0;
  #disconnecting: Promise<void> | undefined;

  /** @throws {ConfigError} naming the variable that cannot be used. */
  constructor(options: KafkaProducerOptions = {}, env: Environment = process.env) {
    this.#kafka = createKafkaClient(options, env);
    this.#now = options.now ?? Date.now;
    this.#outbox = new Outbox(
      {
        send: (events) => this.#send(events),
        maxItems: MAX_SEND_RECORDS,
        maxBytes: MAX_SEND_BYTES,
      },
      this.#now,
    );
  }

  async connect(): Promise<void> {
    const disconnects = this.#disconnects;
    await this.#disconnecting;
    this.#requireSame(disconnects);
    try {
      await this.#openSession();
    } catch (error) {
      throw failureOf(error);
    }
    this.#requireSame(disconnects);
    this.#connected = true;
  }

  async publishEvent(
    topic: string,
    event: DEXEvent | NotificationEvent,
    partition?: number,
  ): Promise<void> {
    this.#requireConnection();
    await this.#outbox.publish({ topic, event, partition });
  }

  async publishEvents(records: readonly EventRecord[]): Promise<PublishResult> {
    this.#requireConnection();
    return this.#outbox.publishAll(records);
  }

  disconnect(): Promise<void> {
    this.#connected = false;
    this.#disconnects++;
    this.#disconnecting ??= this.#close();
    return this.#disconnecting;
  }

  async #close(): Promise<void> {
    await this.#outbox.idle();
    const session = this.#session;
    this.#session = undefined;
    // One that is still being opened has to be waited for: else it would stay.
    await (await session?.catch(() => undefined))?.close();
    this.#disconnecting = undefined;
  }

  /** @param disconnects as it was when `connect` was called. */
  #requireSame(disconnects: number): void {
    if (this.#disconnects === disconnects) return;
    throw new PublishError('not_connected', 'disconnect() was called meanwhile');
  }

  #requireConnection(): void {
    if (!this.#connected) throw new PublishError('not_connected', 'call connect() first');
  }

  /** The present session, or a new one; callers at the same time share it. */
  #openSession(): Promise<KafkaSession> {
    if (this.#session !== undefined) return this.#session;
    const opening = KafkaSession.open(this.#kafka, this.#now);
    this.#session = opening;
    opening.catch(() => {
      if (this.#session === opening) this.#session = undefined;
    });
    return opening;
  }

  /** The next send gets a new session. */
  #discard(session: KafkaSession): void {
    this.#session = undefined;
    void session.close();
  }

  async #send(events: readonly OutgoingEvent[]): Promise<Sent> {
    const outcomes: Outcome[] = events.map(() => undefined);
    let session: KafkaSession;
    try {
      session = await this.#openSession();
    } catch (error) {
      const failure = failureOf(error);
      return { outcomes: events.map(() => failure), failure };
    }
    const topics = await lookUp(session, new Set(events.map(({ topic }) => topic)));
    if (topics instanceof PublishError) {
      this.#discard(session);
      return { outcomes: events.map(() => topics), failure: topics };
    }
    const byLeader = this.#place(events, topics, outcomes);
    const failures = await Promise.all(
      Array.from(byLeader.values(), (placed) => this.#sendTo(session, placed, outcomes)),
    );
    const failure = failures.find((found) => found !== undefined);
    if (failure !== undefined) this.#discard(session);
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
        // Anything may have been asked for, even what is no text.
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
    session: KafkaSession,
    placed: readonly PlacedEvent[],
    outcomes: Outcome[],
  ): Promise<PublishError | undefined> {
    try {
      await session.send(toMessages(placed));
      return undefined;
    } catch (error) {
      const fault = faultOf(error);
      if (fault !== undefined) return this.#sendApart(session, placed, outcomes, fault);
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
    session: KafkaSession,
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
      const failure = await this.#sendTo(session, part, outcomes);
      if (failure === undefined) continue;
      for (const { index } of parts.slice(at + 1).flat()) outcomes[index] = failure;
      return failure;
    }
    return undefined;
  }
}

/** Each topic's partitions or why it has none; or why nothing is known of any. */
async function lookUp(
  session: KafkaSession,
  names: ReadonlySet<string>,
): Promise<Map<string, PartitionMetadata | PublishError> | PublishError> {
  const topics = new Map<string, PartitionMetadata | PublishError>();
  for (const name of names) {
    try {
      const missing = new PublishError('topic_missing', `Kafka has no topic ${name}`);
      topics.set(name, (await session.partitionsOf(name)) ?? missing);
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
