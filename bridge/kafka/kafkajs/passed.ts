/**
 * A repair of kafkajs 2.2.4: its position followed the records that it gave out. The offsets of
 * control records, of aborted records and of those that compaction has removed have no such record.
 * A fetch that had nothing else was asked again for ever, and the lag never became 0 behind the marker
 * that ends a transaction.
 *
 * Now the position after a fetch is the last offset of its last record batch, plus one, as in Kafka's
 * own consumer. A fetch that has no visible record is given to `eachBatch` too, so that its position
 * can be committed in its order.
 */

interface Batch {
  readonly fetchedOffset: string;
  readonly rawMessages: object;
  isEmpty(): boolean;
  isEmptyDueToFiltering(): boolean;
  lastOffset(): string;
}

interface Runner {
  running: boolean;
  eachBatch: unknown;
  processEachBatch(batch: Batch): Promise<void>;
  heartbeat(): Promise<void>;
  handleBatch(batch: Batch): Promise<void>;
}

/** The last offset that a fetch has passed, by the array of its records. */
const lastOffsets = new WeakMap<object, bigint>();

export function notePassed(records: object, lastOffset: bigint | undefined): void {
  if (lastOffset !== undefined) lastOffsets.set(records, lastOffset);
}

export function passedBy(records: object): bigint | undefined {
  return lastOffsets.get(records);
}

export function patchPositions(require: NodeJS.Require): void {
  patchBatch(require('kafkajs/src/consumer/batch').prototype);
  patchRunner(require('kafkajs/src/consumer/runner').prototype);
}

function patchBatch(prototype: Batch): void {
  const lastOffset = prototype.lastOffset;
  prototype.lastOffset = function () {
    return lastPassed(this)?.toString() ?? lastOffset.call(this);
  };
  prototype.isEmptyDueToFiltering = function () {
    return this.isEmpty() && lastPassed(this) !== undefined;
  };
}

/** The last offset that `batch` passes; undefined when the position would not move. */
function lastPassed({ rawMessages, fetchedOffset }: Batch): bigint | undefined {
  const last = passedBy(rawMessages);
  return last !== undefined && last >= BigInt(fetchedOffset) ? last : undefined;
}

function patchRunner(prototype: Runner): void {
  const original = prototype.handleBatch;
  prototype.handleBatch = async function (batch) {
    const isOurs = typeof this.eachBatch === 'function' && batch.isEmptyDueToFiltering();
    if (!this.running || !isOurs) return original.call(this, batch);
    await this.processEachBatch(batch);
    await this.heartbeat();
  };
}
