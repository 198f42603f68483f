/**
 * The consumer lag as Kafka's own tools define it: the end of the log minus the group's position. An open
 * transaction hides the part of it from the last stable offset on, whoever wrote the records there.
 */
import type { Admin } from 'kafkajs';
import { atLogEnd } from './kafkajs/log-end.ts';
import { type Partition, type Position, partitionKey } from './record.ts';
import type { LogRange } from './retention.ts';

export interface PartitionLag extends Partition {
  /** How many records there are up to the end of the log. */
  readonly lag: number;
  /** How many of them can be read at present. */
  readonly stableLag: number;
  /** The last stable offset, in decimal: what is behind it cannot be read. */
  readonly stable: string;
  /** Whether there is something behind it. */
  readonly hidden: boolean;
  /** The group's position, in decimal; undefined when the group has none there. */
  readonly position: string | undefined;
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
  const answer = await fetchPositions(admin, groupId, topics);
  const positions = new Map(answer.map((position) => [partitionKey(position), position.offset]));
  const own = new Set(partitions.map(partitionKey));
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    const stableRanges = await admin.fetchTopicOffsets(topic);
    // It is asked afterwards, so that it is never before the last stable offset.
    const ends = await atLogEnd(() => admin.fetchTopicOffsets(topic));
    for (const { partition, low, high: stable } of stableRanges) {
      const key = partitionKey({ topic, partition });
      if (!own.has(key)) continue;
      const end = ends.find((other) => other.partition === partition)?.high ?? stable;
      const position = positions.get(key);
      lags.push({
        topic,
        partition,
        stable,
        hidden: BigInt(end) > BigInt(stable),
        position,
        lag: lagOf(position, { low, high: end }),
        stableLag: lagOf(position, { low, high: stable }),
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
