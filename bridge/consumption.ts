/**
 * The work of one consumer: what it fetches goes into lanes, what the lanes deliver is committed, and
 * what Kafka has lost is told.
 */
import type { Admin } from 'kafkajs';
import { Assignment } from './delivery/assignment.ts';
import type { Batcher } from './delivery/batcher.ts';
import type { Delivery } from './delivery/delivery.ts';
import { Committer } from './kafka/committer.ts';
import type { Consumer, ConsumerListener } from './kafka/consumer.ts';
import { reasonOf } from './kafka/kafka-error.ts';
import { fetchPositions, measureLag, type PartitionLag } from './kafka/lag.ts';
import { OpenTransactions } from './kafka/open-transactions.ts';
import { type Fetched, type Partition, partitionKey } from './kafka/record.ts';
import { judgeReset } from './kafka/retention.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import type { Logger } from './shared/log.ts';

/**
 * For how long an open transaction may hide records before the bridge says that it is not ready, in
 * seconds. A transaction of a feed is a moment long; one of a stream processor, some seconds.
 */
const OPEN_TRANSACTION_S = 30;

export interface ConsumptionPorts {
  readonly groupId: string;
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'commit'>;
  readonly batcher: Batcher;
  readonly delivery: Delivery;
  readonly admin: Pick<Admin, 'fetchTopicOffsets'>;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly log: Logger;
  /** How many bytes of records may be in memory, over all partitions. */
  readonly bufferBytes: number;
}

export class Consumption implements ConsumerListener {
  readonly #ports: ConsumptionPorts;
  readonly #assignment: Assignment;
  readonly #committer: Committer;
  /** The partitions for which Kafka has held a position of our group, however long ago. */
  readonly #positioned = new Set<string>();
  readonly #openTransactions: OpenTransactions;
  /** The problems of open transactions that are on the readiness page. */
  #hiding = new Set<string>();

  /** @param openTransactions remembers how long each has been open. */
  constructor(ports: ConsumptionPorts, openTransactions = new OpenTransactions()) {
    const { bufferBytes, consumer, batcher, delivery, metrics, log } = ports;
    this.#ports = ports;
    this.#openTransactions = openTransactions;
    this.#committer = new Committer({
      commit: async (positions) => {
        await consumer.commit(positions);
        for (const position of positions) this.#positioned.add(partitionKey(position));
      },
      failed: (error) => {
        metrics.commitFailures.inc();
        log.debug({ err: error }, 'commit failed');
      },
    });
    this.#assignment = new Assignment(bufferBytes, {
      batcher,
      delivery,
      pause: (partition) => consumer.pause(partition),
      resume: (partition) => consumer.resume(partition),
      delivered: (partition, offset, commit) => {
        if (commit) this.#committer.mark(partition, offset);
      },
    });
    metrics.bufferedBytes = () => this.#assignment.bytes;
  }

  assigned(partitions: readonly Partition[]): void {
    this.#assignment.renew(partitions);
    this.#committer.clear();
    this.#ports.metrics.rebalances.inc();
    this.#forgetLags();
    this.#ports.log.info({ partitions: partitions.map(partitionKey) }, 'partitions assigned');
  }

  async fetched(batch: Fetched): Promise<void> {
    this.#ports.metrics.fetched.inc({ topic: batch.topic }, batch.records.length);
    await this.#assignment.enqueue(batch);
  }

  reset(partition: Partition, expected: string): void {
    this.#assignment.disown(partition);
    this.#committer.forget(partition);
    this.#positioned.delete(partitionKey(partition));
    void this.#tellReset(partition, expected);
  }

  /** Lets the batches in flight be answered, and commits. */
  async finish(): Promise<void> {
    await this.#assignment.finish();
    await this.#committer.flush();
  }

  /** Cuts all deliveries off. */
  close(): void {
    this.#assignment.close();
    this.#committer.clear();
    this.#forgetLags();
  }

  /**
   * Notes which positions Kafka has. It is called before the consumer reads them: when a position is
   * gone soon after that, its topic was deleted, and `inspect` misses it.
   */
  async prepare(admin: Pick<Admin, 'fetchOffsets'>, topics: readonly string[]): Promise<void> {
    const { groupId } = this.#ports;
    for (const position of await fetchPositions(admin, groupId, topics)) {
      this.#positioned.add(partitionKey(position));
    }
  }

  /**
   * Measures the lag, which no fetch tells while a partition is paused. Returns whether Kafka still
   * has the positions that it had. Kafka forgets them when a topic is deleted, and a topic that was made
   * anew while we did not fetch from it would be read on past its first records.
   */
  async inspect(admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>): Promise<boolean> {
    const { groupId } = this.#ports;
    // Only what Kafka had before it is asked can be missed: the first commit may come in between.
    const had = new Set(this.#positioned);
    const lags = await measureLag(admin, groupId, this.#assignment.partitions);
    this.#tellLags(lags);
    return lags.every((lag) => lag.positioned || !had.has(partitionKey(lag)));
  }

  #tellLags(lags: readonly PartitionLag[]): void {
    const { metrics, readiness, log } = this.#ports;
    for (const { topic, partition, lag, stableLag } of lags) {
      metrics.lag.set({ topic, partition }, lag);
      metrics.stableLag.set({ topic, partition }, stableLag);
      metrics.openTransaction.set({ topic, partition }, 0);
    }
    const hiding = new Set<string>();
    for (const open of this.#openTransactions.observe(lags)) {
      const { topic, partition, stable, seconds } = open;
      metrics.openTransaction.set({ topic, partition }, seconds);
      if (seconds < OPEN_TRANSACTION_S) continue;
      const problem = `transaction ${partitionKey(open)}`;
      hiding.add(problem);
      const message = `it hides what is from offset ${stable} on`;
      const news = readiness.report(problem, 'transaction_open', message);
      if (news) log.warn(open, 'an open transaction hides records');
    }
    for (const problem of this.#hiding) {
      if (!hiding.has(problem)) readiness.report(problem, undefined);
    }
    this.#hiding = hiding;
  }

  /** They may be of partitions that another bridge has now. */
  #forgetLags(): void {
    const { metrics, readiness } = this.#ports;
    for (const gauge of [metrics.lag, metrics.stableLag, metrics.openTransaction]) gauge.reset();
    for (const problem of this.#hiding) readiness.report(problem, undefined);
    this.#hiding = new Set();
  }

  async #tellReset({ topic, partition }: Partition, expected: string): Promise<void> {
    const { admin, metrics, log } = this.#ports;
    const fields = { topic, partition, expected };
    try {
      const ranges = await admin.fetchTopicOffsets(topic);
      const range = ranges.find((found) => found.partition === partition);
      if (range === undefined) throw new Error('the partition is gone');
      const cause = judgeReset(expected, range);
      metrics.offsetResets.inc({ topic, cause: cause.kind });
      if (cause.kind === 'retention') {
        metrics.recordsLost.inc({ topic }, cause.lost);
        log.error({ ...fields, ...range, ...cause }, 'retention deleted records before delivery');
      } else {
        log.warn({ ...fields, ...range, ...cause }, 'the topic was recreated or truncated');
      }
    } catch (error) {
      metrics.offsetResets.inc({ topic, cause: 'unknown' });
      log.error({ ...fields, reason: reasonOf(error) }, 'offset reset, its extent is unknown');
    }
  }
}
