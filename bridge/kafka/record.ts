/**
 * Records and partitions, as kafkajs represents them, so that nothing is converted that is not sent.
 */

/** A header may stand several times, and kafkajs gives text or bytes. */
export type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;

/** The fields of a record that the bridge reads. */
export interface KafkaRecord {
  readonly key: Buffer | null;
  /** A record without a value is a tombstone. */
  readonly value: Buffer | null;
  /** Unix ms in decimal; `-1` when the producer gave no time. */
  readonly timestamp: string;
  /** In decimal. */
  readonly offset: string;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  /** Says that the record stands for a whole batch which cannot be read, with its bytes as the value. */
  readonly unreadable?: Fault;
}

/** Why something can never be delivered. The code is stable. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** A record that can never be delivered, and why. */
export interface Refusal extends Fault {
  readonly record: KafkaRecord;
}

/** A batch of one partition, as it was fetched. */
export interface FetchedBatch extends Partition {
  readonly records: readonly KafkaRecord[];
  /**
   * The last offset that the batch passes, in decimal. Behind its last record there may be offsets that
   * no consumer sees: of control records, of aborted records, and of records that compaction removed.
   */
  readonly passed: string;
  /** Moves the next fetch past this batch. It commits nothing. */
  advance(): void;
}

/** The position from which a partition is to be read next. */
export interface Position extends Partition {
  /** In decimal. */
  readonly offset: string;
}

/** A message that we append to a topic ourselves. */
export interface AppendedMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, HeaderValue>;
}

/** Appends to a Kafka topic; resolves once every in-sync replica has the messages. */
export type Append = (topic: string, messages: AppendedMessage[]) => Promise<void>;

/** The identity of a partition as a map's key. No topic's name contains a `/`. */
export function partitionKey({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
