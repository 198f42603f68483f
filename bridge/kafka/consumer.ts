/**
 * The port between kafkajs and the bridge: one membership in the consumer group, from joining until
 * it is stopped or has crashed. It is never restarted: whoever made it makes another.
 *
 * How it lives with kafkajs 2.2.4:
 * - Nothing but queueing happens in `eachBatch`, and nothing escapes it but kafkajs's own errors: a
 *   TypeError from there (`fetch failed` is one) would end the consumer for good.
 * - Fetching is moved on by `resolveOffset`, the group's position by explicit offsets through
 *   `commitOffsetsIfNecessary`. `consumer.commitOffsets` was rejected: it hides a rebalance from the
 *   runner, and during a stop it does nothing without a word.
 * - kafkajs may not restart itself: with `restartOnFailure` false, every crash ends here.
 * - `stop` waits for the join that is under way: kafkajs does not stop a consumer that is joining.
 */
import kafkajs, {
  type EachBatchPayload,
  type Kafka,
  type Consumer as KafkajsConsumer,
} from 'kafkajs';
import { KAFKA_RETRIES } from './client.ts';
import { type OffsetReset, offsetResets } from './kafkajs/patch.ts';
import type { Fetched, Partition, Position } from './record.ts';

/** Above the broker's default bound on a batch (1 MiB + 12 bytes), which must always fit. */
const MAX_FETCH_PARTITION_BYTES = 1024 * 1024 + 64 * 1024;
/** One fetch is decoded without a break: 4 MiB take some 60 ms, more would hold up deliveries. */
const MAX_FETCH_BYTES = 4 * 1024 * 1024;
/** A fetch answers at the first record; the wait only says how soon a resumed partition is asked. */
const MAX_FETCH_WAIT_MS = 100;
/** Batches handed out at a time; each only waits, and kafkajs wakes as many workers per fetch. */
const CONCURRENT_BATCHES = 32;
/** How long it takes to see partitions that were added to a topic. */
const METADATA_MAX_AGE_MS = 10_000;
/** A member that joins waits this long for the others; ours are back within a heartbeat. */
const REBALANCE_TIMEOUT_MS = 20_000;

export interface ConsumerListener {
  /** A generation of the group begins; what an earlier one assigned is void. */
  assigned(partitions: readonly Partition[]): void;
  /** Resolves when the next fetch may begin. */
  fetched(batch: Fetched): Promise<void>;
  /** The partition is read anew from its start: Kafka did not have `expected`. */
  reset(partition: Partition, expected: string): void;
}

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
}

export class Consumer {
  /** Resolves, with its cause, when the consumer is dead. */
  readonly crashed: Promise<unknown>;
  readonly #consumer: KafkajsConsumer;
  readonly #topics: readonly string[];
  readonly #crash: (cause: unknown) => void;
  #ignoreResets = () => {};
  #memberId: string | undefined;
  #joining: Promise<void> = Promise.resolve();
  #commit: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;

  constructor(kafka: Kafka, options: ConsumerOptions) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.crashed = promise;
    this.#crash = resolve;
    this.#topics = options.topics;
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 10),
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxBytesPerPartition: MAX_FETCH_PARTITION_BYTES,
      maxBytes: MAX_FETCH_BYTES,
      maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      retry: { ...KAFKA_RETRIES, restartOnFailure: async () => false },
    });
  }

  /**
   * Joins the group. Resolves once it has joined, or has crashed over it.
   * @param listener is told of everything that the consumer is given.
   */
  async start(listener: ConsumerListener): Promise<void> {
    const { events } = this.#consumer;
    this.#consumer.on(events.CRASH, ({ payload }) => this.#crash(payload.error));
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#memberId = payload.memberId;
      listener.assigned(
        Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      );
    });
    const onReset = ({ memberId, topic, partition, expected }: OffsetReset) => {
      if (memberId === this.#memberId) listener.reset({ topic, partition }, expected);
    };
    offsetResets.on('reset', onReset);
    this.#ignoreResets = () => offsetResets.off('reset', onReset);
    await this.#consumer.connect();
    // From the beginning: what a new group finds was not delivered yet, and after a reset the rest
    // of the log is worth more than its end.
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    this.#joining = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_BATCHES,
      eachBatch: (payload) => this.#pass(payload, listener),
    });
    await this.#joining;
  }

  /** Fetches nothing more of `partition`. Without effect on a consumer that is not running. */
  pause({ topic, partition }: Partition): void {
    unlessStopped(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  /** Undoes `pause`. */
  resume({ topic, partition }: Partition): void {
    unlessStopped(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const byTopic = Map.groupBy(positions, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
    await this.#commit?.({ topics });
  }

  /** Leaves the group. */
  async stop(): Promise<void> {
    this.#ignoreResets();
    await this.#joining.catch(() => undefined);
    await this.#consumer.disconnect();
  }

  async #pass(
    { batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload,
    listener: ConsumerListener,
  ): Promise<void> {
    // Any payload's will do, it commits for the whole member; an old runner's does no more.
    this.#commit = commitOffsetsIfNecessary;
    const { topic, partition, messages } = batch;
    const last = messages.at(-1);
    if (last === undefined) return;
    const advance = () => resolveOffset(last.offset);
    try {
      await listener.fetched({ topic, partition, records: messages, advance });
    } catch (error) {
      // A bug of ours. Thrown on, kafkajs would bring the batch again five times and then crash.
      this.#crash(error);
    }
  }
}

/**
 * kafkajs throws when it has stopped, which a crash does some time before it is told: a lane that
 * drains in between must not be ended by it.
 */
function unlessStopped(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
  }
}
