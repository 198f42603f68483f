/** Records as kafkajs gives them, for tests without Kafka. */
import type { FetchedBatch, KafkaRecord } from '../../bridge/kafka/record.ts';

export const PARTITION = { topic: 'price.updates', partition: 3 };

export function record(
  offset: number,
  value: string | Buffer | null = `{"n":${offset}}`,
): KafkaRecord {
  return {
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    timestamp: '1703123456789',
    offset: String(offset),
    headers: {},
  };
}

export function records(count: number): KafkaRecord[] {
  return Array.from({ length: count }, (_, offset) => record(offset));
}

/** A fetch that passes its last record, or more. */
export function fetchOf(
  fetched: readonly KafkaRecord[],
  passed = fetched.at(-1)?.offset ?? '0',
): Pick<FetchedBatch, 'records' | 'passed'> {
  return { records: fetched, passed };
}

export function offsetsOf(found: readonly KafkaRecord[]): number[] {
  return found.map(({ offset }) => Number(offset));
}
