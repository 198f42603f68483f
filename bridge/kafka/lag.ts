/** The consumer lag as Kafka's own tools define it: the end of the log minus the group's position. */
import type { Admin } from 'kafkajs';
import type { Partition, Position } from './record.ts';
import type { LogRange } from './retention.ts';

export interface PartitionLag extends Partition {
  readonly lag: number;
  /** Whether the group has a position there at all. */
  readonly positioned: boolean;
}

/** What Kafka answers for a partition without a position. */
const NO_POSITION = '-1';

/** The positions of the group in `topics`, where it has one. */
export async function fetchPositions(
  admin: Pick<Admin, 'fetchOffsets'>,
  groupId: string,
  topics: readonly string[],
): Promise<Position[]> {
  if (topics.length === 0) return [];
  const answer = await admin.fetchOffsets({ groupId, topics: [...topics] });
  return answer.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ offset }) => offset !== NO_POSITION)
      .map(({ partition, offset }) => ({ topic, partition, offset })),
  );
}

export async function measureLag(
  admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>,
  groupId: string,
  partitions: readonly Partition[],
): Promise<PartitionLag[]> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  const positions = await fetchPositions(admin, groupId, topics);
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    for (const range of await admin.fetchTopicOffsets(topic)) {
      const { partition } = range;
      const isOwn = (other: Partition) => other.topic === topic && other.partition === partition;
      if (!partitions.some(isOwn)) continue;
      const position = positions.find(isOwn)?.offset;
      lags.push({
        topic,
        partition,
        positioned: position !== undefined,
        lag: lagOf(position, range),
      });
    }
  }
  return lags;
}

/** A group without a position begins at the start of the log. */
export function lagOf(position: string | undefined, { low, high }: LogRange): number {
  const from = BigInt(position ?? NO_POSITION);
  return Number(BigInt(high) - (from > BigInt(low) ? from : BigInt(low)));
}
