/**
 * A record as Kafka gave it: the fields the bridge reads, in kafkajs's own representation, so that
 * nothing is converted that is not sent.
 */

/** A header may repeat, and kafkajs gives text or bytes. */
export type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;

export interface KafkaRecord {
  readonly key: Buffer | null;
  /** null is a tombstone. */
  readonly value: Buffer | null;
  /** Unix ms in decimal; `-1` when the producer gave none. */
  readonly timestamp: string;
  /** In decimal. */
  readonly offset: string;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** A record that can never be delivered, and why. */
export interface Refusal {
  readonly record: KafkaRecord;
  readonly code: string;
  readonly message: string;
}

/** The identity of a partition as a map's key. No topic's name contains a `/`. */
export function partitionKey({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
