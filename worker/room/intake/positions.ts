/**
 * Exactly once into the log: the highest Kafka offset and timestamp that were appended, for each
 * source, topic and partition.
 *
 * A record at or below the known offset has been here before, unless it is later in time than
 * everything that was. Then the topic was deleted and made anew, or the cluster was rebuilt, and its
 * offsets count from 0 again.
 */

/** [source, topic, partition, offset, timestamp], as saved. */
export type SavedPosition = readonly [string, string, number, number, number];

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka's, Unix ms. */
  readonly timestamp: number;
}

export type Judgement = 'new' | 'duplicate' | 'renumbered';

/** How many partitions are remembered; the one unused for longest makes space for a new one. */
const MAX_POSITIONS = 1_024;

interface Reached {
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
  offset: number;
  timestamp: number;
}

export class Positions {
  readonly #reached = new Map<string, Reached>();

  constructor(saved: readonly SavedPosition[] = []) {
    for (const [source, topic, partition, offset, timestamp] of saved) {
      this.#reached.set(keyOf(source, topic, partition), {
        source,
        topic,
        partition,
        offset,
        timestamp,
      });
    }
  }

  get size(): number {
    return this.#reached.size;
  }

  judge(source: string, { topic, partition, offset, timestamp }: Position): Judgement {
    const reached = this.#reached.get(keyOf(source, topic, partition));
    if (reached === undefined || offset > reached.offset) return 'new';
    return timestamp > reached.timestamp ? 'renumbered' : 'duplicate';
  }

  /** Takes note that the record at `position` is in the log. */
  advance(source: string, { topic, partition, offset, timestamp }: Position): void {
    const key = keyOf(source, topic, partition);
    const reached = this.#reached.get(key);
    if (reached === undefined) {
      this.#makeRoom();
      this.#reached.set(key, { source, topic, partition, offset, timestamp });
      return;
    }
    reached.offset = offset;
    reached.timestamp = Math.max(reached.timestamp, timestamp);
  }

  save(): SavedPosition[] {
    return [...this.#reached.values()].map((reached) => [
      reached.source,
      reached.topic,
      reached.partition,
      reached.offset,
      reached.timestamp,
    ]);
  }

  #makeRoom(): void {
    if (this.#reached.size < MAX_POSITIONS) return;
    let stalest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { timestamp }] of this.#reached) {
      if (timestamp >= least) continue;
      least = timestamp;
      stalest = key;
    }
    if (stalest !== undefined) this.#reached.delete(stalest);
  }
}

function keyOf(source: string, topic: string, partition: number): string {
  return `${partition} ${topic} ${source}`;
}
