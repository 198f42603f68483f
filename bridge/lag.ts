/** The consumer lag as Kafka's own tools define it: the log's end less the group's position. */
import type { Admin } from 'kafkajs';
import type { Partition } from './record.ts';
import type { LogRange } from './retention.ts';

export interface PartitionLag extends Partition {
  readonly lag: number;
  /** Whether the group has a position there at all. */
  readonly positioned: boolean;
}

/** What Kafka answers for a partition without a position. */
const NO_POSITION = '-1';

export async function measureLag(
  admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>,
  groupId: string,
  partitions: readonly Partition[],
): Promise<PartitionLag[]> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  if (topics.length === 0) return [];
  const committed = await admin.fetchOffsets({ groupId, topics });
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    const positions = committed.find((group) => group.topic === topic)?.partitions ?? [];
    for (const range of await admin.fetchTopicOffsets(topic)) {
      const { partition } = range;
      if (!partitions.some((own) => own.topic === topic && own.partition === partition)) continue;
      const position = positions.find((found) => found.partition === partition)?.offset;
      const positioned = position !== undefined && position !== NO_POSITION;
      lags.push({ topic, partition, positioned, lag: lagOf(position, range) });
    }
  }
  return lags;
}

/** A group without a position begins at the log's start. */
export function lagOf(position: string | undefined, { low, high }: LogRange): number {
  const from = BigInt(position ?? NO_POSITION);
  return Number(BigInt(high) - (from > BigInt(low) ? from : BigInt(low)));
}
