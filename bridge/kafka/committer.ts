/**
 * Commits what was delivered, for all partitions in one request, at most ten times a second. A commit
 * costs a round trip and a write in Kafka. What a crash leaves uncommitted is only sent again, to rooms
 * that drop it as a duplicate.
 */
import { type Pause, pause } from '../shared/backoff.ts';
import { type Partition, type Position, partitionKey } from './record.ts';

/** The time between two commits, in ms. After a crash, so much of the feed is sent twice. */
const COMMIT_INTERVAL_MS = 100;

export interface CommitterPorts {
  readonly commit: (positions: readonly Position[]) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

export class Committer {
  readonly #ports: CommitterPorts;
  readonly #pause: Pause;
  #pending = new Map<string, Position>();
  #running: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(ports: CommitterPorts, wait: Pause = pause) {
    this.#ports = ports;
    this.#pause = wait;
  }

  /** @param offset is the last that was passed. The group's position is the next one. */
  mark(partition: Partition, offset: string): void {
    const { topic, partition: index } = partition;
    this.#pending.set(partitionKey(partition), {
      topic,
      partition: index,
      offset: String(BigInt(offset) + 1n),
    });
    this.#running ??= this.#run();
  }

  /** Forgets what is not committed. After a rebalance it may be for another member to commit. */
  clear(): void {
    this.#pending = new Map();
  }

  forget(partition: Partition): void {
    this.#pending.delete(partitionKey(partition));
  }

  /** Commits what is pending without waiting for the interval. A failure is not retried. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#running;
    await this.#commit();
  }

  async #run(): Promise<void> {
    this.#hurry = new AbortController();
    while (this.#pending.size > 0 && !this.#hurry.signal.aborted) {
      await this.#commit();
      await this.#pause(COMMIT_INTERVAL_MS, this.#hurry.signal);
    }
    this.#running = undefined;
  }

  async #commit(): Promise<void> {
    const generation = this.#pending;
    if (generation.size === 0) return;
    const positions = [...generation.values()];
    try {
      await this.#ports.commit(positions);
      for (const position of positions) {
        const key = partitionKey(position);
        if (generation.get(key) === position) generation.delete(key);
      }
    } catch (error) {
      // It stays pending. If it failed because of a rebalance, the next generation clears it.
      this.#ports.failed(error);
    }
  }
}
