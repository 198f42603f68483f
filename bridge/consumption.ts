/**
 * The work of one consumer: what it fetches goes into lanes, what the lanes deliver is committed, and
 * what Kafka has lost is reported.
 */
import type { Admin } from 'kafkajs';
import { Assignment } from './delivery/assignment.ts';
import type { Batcher } from './delivery/batcher.ts';
import type { Delivery } from './delivery/delivery.ts';
import { Committer } from './kafka/committer.ts';
import type { Consumer, ConsumerListener } from './kafka/consumer.ts';
import { reasonOf } from './kafka/kafka-error.ts';
import { fetchPositions, measureLag, type PartitionLag } from './kafka/lag.ts';
import { type FetchedBatch, type Partition, partitionKey } from './kafka/record.ts';
import { judgeReset } from './kafka/retention.ts';
import { Standstill } from './kafka/standstill.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { remedyOf } from './remedies.ts';
import type { Logger } from './shared/log.ts';

/**
 * For how long an open transaction may hide records before the bridge says that it is not ready, in
 * seconds. Nothing behind its beginning can be read, of other producers either, so one that hangs stalls
 * the partition for all. A transaction of a feed is a moment long; one of a stream processor, some seconds.
 */
const OPEN_TRANSACTION_S = 30;
/**
 * For how long the group's position may stand still before records that could be read, in seconds. Each
 * known cause has its own problem by then. This one is for those that nobody has thought of.
 */
const STALLED_S = 60;

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
  /** For how long each partition's last stable offset has stood still before its end. */
  readonly #stable: Standstill;
  /** For how long the group's position has stood still before the last stable offset. */
  readonly #positions: Standstill;
  /** Our problems on the readiness page. */
  #problems = new Set<string>();

  /** @param now in ms, of a clock that only goes forward. */
  constructor(ports: ConsumptionPorts, now: () => number = () => performance.now()) {
    const { bufferBytes, consumer, batcher, delivery, metrics, log } = ports;
    this.#ports = ports;
    this.#stable = new Standstill(now);
    this.#positions = new Standstill(now);
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

  async fetched(batch: FetchedBatch): Promise<void> {
    this.#ports.metrics.fetched.inc({ topic: batch.topic }, batch.records.length);
    await this.#assignment.enqueue(batch);
  }

  reset(partition: Partition, expected: string): void {
    this.#assignment.disown(partition);
    this.#committer.forget(partition);
    this.#positioned.delete(partitionKey(partition));
    void this.#explainReset(partition, expected);
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
   * Measures the lag, which no fetch reports while a partition is paused. Returns whether Kafka still
   * has the positions that it had. Kafka forgets them when a topic is deleted, and a topic that was made
   * anew while we did not fetch from it would be read on past its first records.
   */
  async inspect(admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>): Promise<boolean> {
    const { groupId } = this.#ports;
    // Only what Kafka had before it is asked can be missed: the first commit may come in between.
    const had = new Set(this.#positioned);
    const lags = await measureLag(admin, groupId, this.#assignment.partitions);
    this.#reportLags(lags);
    return lags.every((lag) => lag.position !== undefined || !had.has(partitionKey(lag)));
  }

  #reportLags(lags: readonly PartitionLag[]): void {
    const { metrics } = this.#ports;
    const hidden = lags.filter((lag) => lag.hidden);
    const readable = lags.filter((lag) => lag.stableLag > 0);
    const openFor = this.#stable.observe(hidden, ({ stable }) => stable);
    const stalledFor = this.#positions.observe(readable, ({ position }) => position ?? 'none');
    const problems = new Set<string>();
    for (const { topic, partition, lag, stableLag, stable, position } of lags) {
      const key = partitionKey({ topic, partition });
      const openSeconds = openFor.get(key) ?? 0;
      metrics.lag.set({ topic, partition }, lag);
      metrics.stableLag.set({ topic, partition }, stableLag);
      metrics.openTransaction.set({ topic, partition }, openSeconds);
      if (openSeconds >= OPEN_TRANSACTION_S) {
        const problem = `transaction ${key}`;
        problems.add(problem);
        this.#report(problem, 'transaction_open', `it hides what is from offset ${stable} on`);
      }
      if ((stalledFor.get(key) ?? 0) >= STALLED_S) {
        const problem = `position ${key}`;
        problems.add(problem);
        const message = `the position stays at ${position ?? 'no offset'}, ${stableLag} behind`;
        this.#report(problem, 'position_stalled', message);
      }
    }
    this.#forgetProblems(problems);
  }

  #report(problem: string, reason: string, message: string): void {
    const { readiness, log } = this.#ports;
    const isNews = readiness.report(problem, reason, message);
    if (isNews) log.warn({ problem, reason, message, remedy: remedyOf(reason) }, 'records wait');
  }

  /** They may be of partitions that another bridge has now. */
  #forgetLags(): void {
    const { metrics } = this.#ports;
    for (const gauge of [metrics.lag, metrics.stableLag, metrics.openTransaction]) gauge.reset();
    this.#forgetProblems(new Set());
  }

  /** @param current are those that last. */
  #forgetProblems(current: Set<string>): void {
    for (const problem of this.#problems) {
      if (!current.has(problem)) this.#ports.readiness.report(problem, undefined);
    }
    this.#problems = current;
  }

  async #explainReset({ topic, partition }: Partition, expected: string): Promise<void> {
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
