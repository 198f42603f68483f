/** Records as kafkajs gives them, for tests without Kafka. */
import type { KafkaRecord } from '../../bridge/kafka/record.ts';

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

export function offsetsOf(found: readonly KafkaRecord[]): number[] {
  return found.map(({ offset }) => Number(offset));
}
