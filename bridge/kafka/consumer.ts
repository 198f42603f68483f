/**
 * The port between kafkajs and the bridge: one membership in the consumer group, from joining until
 * it is stopped or has crashed. It is never restarted: whoever made it makes another.
 *
 * How it lives with kafkajs 2.2.4:
 * - `eachBatch` only queues, and no error escapes it: a TypeError from there, such as Node's `fetch failed`,
 *   would end the consumer for good, with an error of kafkajs instead of the cause.
 * - `resolveOffset` moves fetching on. `commitOffsetsIfNecessary` with explicit offsets moves the
 *   group's position. `consumer.commitOffsets` was rejected: it hides a rebalance from the runner, and
 *   during a stop it does nothing without a word.
 * - kafkajs may not restart itself: `restartOnFailure` is false, so every crash ends here.
 * - `stop` waits for a join to end, because kafkajs does not stop a consumer that is joining.
 */
import kafkajs, {
  type EachBatchPayload,
  type Kafka,
  type Consumer as KafkajsConsumer,
} from 'kafkajs';
import { KAFKA_RETRIES } from './client.ts';
import { type OffsetReset, offsetResets } from './kafkajs/patch.ts';
import type { FetchedBatch, Partition, Position } from './record.ts';

/** More than the broker's default bound on a batch (1 MiB and 12 bytes), which must always fit. */
const MAX_FETCH_PARTITION_BYTES = 1024 * 1024 + 64 * 1024;
/** As it is on the line. Decoding 4 MiB takes some 60 ms, and more would delay deliveries. */
const MAX_FETCH_BYTES = 4 * 1024 * 1024;
/** A fetch is answered at the first record; the wait only says how soon a resumed partition is asked. */
const MAX_FETCH_WAIT_MS = 100;
/** How many batches are given out at a time. Each only waits, and kafkajs wakes so many workers a fetch. */
const CONCURRENT_BATCHES = 32;
/** How long it takes to see partitions that were added to a topic. */
const METADATA_MAX_AGE_MS = 10_000;
/** How long a member that joins waits for the others. Ours are back within a heartbeat. */
const REBALANCE_TIMEOUT_MS = 20_000;

export interface ConsumerListener {
  /** A generation of the group begins. What an earlier one assigned is void. */
  assigned(partitions: readonly Partition[]): void;
  /** Resolves when the next fetch may begin. */
  fetched(batch: FetchedBatch): Promise<void>;
  /** The partition is read anew from its start, because Kafka did not have `expected`. */
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
   * @param listener is called with everything that the consumer gets.
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
    // A new group reads from the beginning, because nothing was delivered yet. After a reset, too, the
    // rest of the log is worth more than its end.
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    this.#joining = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_BATCHES,
      eachBatch: (payload) => this.#pass(payload, listener),
    });
    await this.#joining;
  }

  /** Fetches nothing more of `partition`. It has no effect on a consumer that is not running. */
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
    // Each payload's function commits for the whole member; that of an old runner does nothing.
    this.#commit = commitOffsetsIfNecessary;
    const { topic, partition, messages } = batch;
    // It may be past the last record, and there may be no record: see kafkajs/passed.ts.
    const passed = batch.lastOffset();
    const advance = () => resolveOffset(passed);
    try {
      await listener.fetched({ topic, partition, records: messages, passed, advance });
    } catch (error) {
      // This is a bug of ours. If it were thrown on, kafkajs would hide it behind an error of its own.
      this.#crash(error);
    }
  }
}

/**
 * kafkajs throws when it has stopped, and a crash stops it some time before it is reported. A lane that
 * drains in between must not fail because of that.
 */
function unlessStopped(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
  }
}
