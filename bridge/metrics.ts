/** What the bridge counts, for Prometheus. It counts once for each batch, never for each record. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A Worker nearby answers in some 10 ms, and one that hangs is given up after 30 s. */
const POST_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500];

export class Metrics {
  readonly registry = new Registry();
  /** Is read at each scrape. */
  bufferedBytes: () => number = () => 0;

  readonly fetched = this.#counter('records_fetched_total', 'Records read from Kafka', ['topic']);
  readonly accepted = this.#counter('records_accepted_total', 'Records new to their rooms', [
    'topic',
  ]);
  readonly duplicates = this.#counter(
    'records_duplicate_total',
    'Records that their rooms had already',
    ['topic'],
  );
  readonly tombstones = this.#counter('records_tombstone_total', 'Records without a value', [
    'topic',
  ]);
  readonly deadLettered = this.#counter(
    'records_dead_lettered_total',
    'Records put into the dead-letter topic',
    ['topic', 'code'],
  );
  readonly recordsLost = this.#counter(
    'records_lost_total',
    'Offsets that retention deleted before they were read; an upper bound on records',
    ['topic'],
  );
  readonly offsetResets = this.#counter(
    'offset_resets_total',
    'Positions that Kafka no longer had',
    ['topic', 'cause'],
  );
  readonly posts = this.#counter('posts_total', 'POSTs to the Worker', ['verdict', 'reason']);
  readonly commitFailures = this.#counter('commit_failures_total', 'Commits that failed', []);
  readonly rebalances = this.#counter('rebalances_total', 'Assignments of partitions', []);
  readonly rebuilds = this.#counter('consumer_rebuilds_total', 'Consumers begun anew', []);
  readonly postSeconds = new Histogram({
    name: 'bridge_post_seconds',
    help: 'From the start of a POST to its answer',
    buckets: POST_BUCKETS_S,
    registers: [this.registry],
  });
  readonly batchRecords = new Histogram({
    name: 'bridge_batch_records',
    help: 'Records in an accepted batch',
    buckets: BATCH_BUCKETS,
    registers: [this.registry],
  });
  readonly lag = this.#partitionGauge(
    'consumer_lag',
    'Records behind the end of the partition, as of the last survey',
  );
  readonly stableLag = this.#partitionGauge(
    'consumer_stable_lag',
    'Records behind the last stable offset, as of the last survey',
  );
  readonly openTransaction = this.#partitionGauge(
    'open_transaction_seconds',
    'How long the last stable offset has stood still before the end of the partition',
  );

  constructor(ready: () => boolean) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge('buffered_bytes', 'Of records in memory', () => this.bufferedBytes());
    this.#gauge('ready', '1 when everything is being delivered', () => Number(ready()));
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `bridge_${name}`, help, labelNames, registers: [this.registry] });
  }

  #partitionGauge(name: string, help: string): Gauge<'topic' | 'partition'> {
    const labelNames = ['topic', 'partition'] as const;
    return new Gauge({ name: `bridge_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `bridge_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
