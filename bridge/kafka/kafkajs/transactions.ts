/**
 * A repair of kafkajs 2.2.4, which showed records of aborted transactions: it followed one transaction
 * at a time, trusted the order of the broker's list, and took every record whose key is four zero bytes
 * for the end of a transaction.
 *
 * This is the rule of Kafka's own consumer. A transaction that was aborted begins at the offset that the
 * broker lists for its producer, and ends at that producer's abort marker. Several may be open at a time.
 * A marker is a record of a control batch, which the batch's attributes say, and its key says which.
 */
import { notePassed, passedBy } from './passed.ts';

/** What kafkajs knows of a record's batch. */
interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

export interface TransactionalRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  /** Absent in the format of before 2017, which knows no transactions. */
  readonly batchContext?: BatchContext;
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

interface FetchedPartition {
  messages: readonly TransactionalRecord[];
  abortedTransactions?: readonly AbortedTransaction[] | null;
}

interface FetchAnswer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/** A control record's key is its version and its type, of two bytes each. */
const CONTROL_TYPE_OFFSET = 2;
const CONTROL_KEY_BYTES = 4;
const ABORT = 0;

export function patchVisibility(require: NodeJS.Require): void {
  const prototype: { fetch(request: unknown): Promise<FetchAnswer> } =
    require('kafkajs/src/broker').prototype;
  const original = prototype.fetch;
  prototype.fetch = async function (request) {
    const answer = await original.call(this, request);
    for (const partition of answer.responses.flatMap(({ partitions }) => partitions)) {
      const { messages, abortedTransactions } = partition;
      partition.messages = visibleRecords(messages, abortedTransactions ?? []);
      // kafkajs applies its own filter to what is listed here.
      partition.abortedTransactions = [];
      notePassed(partition.messages, passedBy(messages));
    }
    return answer;
  };
}

/** The records that a `read_committed` consumer sees. They keep their order. */
export function visibleRecords<Read extends TransactionalRecord>(
  records: readonly Read[],
  aborted: readonly AbortedTransaction[],
): Read[] {
  const beginnings = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, first: BigInt(firstOffset) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const open = new Set<string>();
  let begun = 0;
  return records.filter(({ offset, key, batchContext }) => {
    for (let next = beginnings[begun]; next !== undefined; next = beginnings[++begun]) {
      if (next.first > BigInt(offset)) break;
      open.add(next.producerId);
    }
    if (batchContext === undefined) return true;
    const { producerId, inTransaction, isControlBatch } = batchContext;
    if (!isControlBatch) return !(inTransaction && open.has(producerId));
    if (isAbortMarker(key)) open.delete(producerId);
    return false;
  });
}

function isAbortMarker(key: Buffer | null): boolean {
  return (
    key !== null &&
    key.length >= CONTROL_KEY_BYTES &&
    key.readInt16BE(CONTROL_TYPE_OFFSET) === ABORT
  );
}
