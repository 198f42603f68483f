/**
 * The partitions that this bridge owns, one lane each, and the flow between fetching and lanes.
 *
 * kafkajs has one fetch loop per broker, which waits for all batches of a fetch: a slow partition
 * would stall its siblings. So a batch is only queued in its lane, and a lane that stays full is
 * paused in kafkajs until it has drained. A lane that drains soon is waited for instead: a paused
 * partition misses a whole fetch, which at full speed costs more than the wait.
 *
 * Every rebalance is a new beginning, also for the partitions that stay: positions are read again
 * from what is committed, so the lanes are closed and their records fetched anew. The rooms drop
 * what they have already. Keeping lanes was rejected: a topic may have been deleted and recreated
 * in between, and then a kept position would skip its first records.
 */

import { MAX_BATCH_RECORDS } from '../../worker/protocol/batch/batch.ts';
import { type FetchedBatch, type Partition, partitionKey } from '../kafka/record.ts';
import { type Pause, pause } from '../shared/backoff.ts';
import { Lane, type LanePorts } from './lane.ts';

/** For how long a full lane may hold up the fetch loop, in ms, before it is paused. */
const PATIENCE_MS = 100;
/** How many bytes one lane may hold: about four fetches of a partition. */
const MAX_LANE_BYTES = 4 * 1024 * 1024;

/**
 * How much later the next fetch may begin, in ms, unless a whole batch waits. What is fetched leaves at
 * once, so at rest no record waits. Under a load each fetch and each POST, which cost the same for one
 * record as for ten, has the records of so much time.
 */
const FETCH_DISTANCE_MS = 8;

export interface AssignmentPorts extends Pick<LanePorts, 'batcher' | 'delivery'> {
  readonly pause: (partition: Partition) => void;
  readonly resume: (partition: Partition) => void;
  readonly delivered: (partition: Partition, offset: string, commit: boolean) => void;
}

/** A lane, and how its partition is fetched. */
interface Held {
  readonly lane: Lane;
  paused: boolean;
  /** It was paused and has not been empty since, so it is not waited for. */
  slow: boolean;
  /** Ends the wait for space. */
  wake: () => void;
}

export class Assignment {
  readonly #ports: AssignmentPorts;
  readonly #budgetBytes: number;
  readonly #pause: Pause;
  #lanes = new Map<string, Held>();
  #fetchDistance: Promise<void> | undefined;

  /** @param budgetBytes how many bytes of records may be in memory, shared by all lanes. */
  constructor(budgetBytes: number, ports: AssignmentPorts, wait: Pause = pause) {
    this.#budgetBytes = budgetBytes;
    this.#ports = ports;
    this.#pause = wait;
  }

  get bytes(): number {
    let sum = 0;
    for (const { lane } of this.#lanes.values()) sum += lane.bytes;
    return sum;
  }

  get partitions(): Partition[] {
    return [...this.#lanes.values()].map(({ lane }) => lane.partition);
  }

  /** A new generation of the group gave us `partitions`, and only these. */
  renew(partitions: readonly Partition[]): void {
    this.close();
    const capacity = Math.min(MAX_LANE_BYTES, this.#budgetBytes / Math.max(1, partitions.length));
    for (const partition of partitions) {
      this.#lanes.set(partitionKey(partition), this.#open(partition, capacity));
    }
  }

  /** Queues a batch, then returns when its lane has room again or is paused. */
  async enqueue(batch: FetchedBatch): Promise<void> {
    const held = this.#lanes.get(partitionKey(batch));
    if (held === undefined) return;
    const { lane } = held;
    if (lane.bytes === 0) held.slow = false;
    if (lane.enqueue(batch)) batch.advance();
    if (lane.full && !held.slow) {
      const wake = new AbortController();
      held.wake = () => wake.abort();
      await this.#pause(PATIENCE_MS, wake.signal);
    }
    if (lane.full && !lane.closed && !held.paused) {
      held.paused = true;
      held.slow = true;
      this.#ports.pause(lane.partition);
    }
    if (lane.count < MAX_BATCH_RECORDS) await this.#company();
  }

  /** Resolves when the fetch that is dealt with is old enough for the next one; all its batches share it. */
  #company(): Promise<void> {
    this.#fetchDistance ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#fetchDistance = undefined;
        resolve();
      }, FETCH_DISTANCE_MS);
    });
    return this.#fetchDistance;
  }

  /** Kafka no longer has the position of `partition`, which starts anew. */
  disown(partition: Partition): void {
    this.#lanes.get(partitionKey(partition))?.lane.disown();
  }

  /** Ends all fetching, and all deliveries, each after the batch in flight. */
  async finish(): Promise<void> {
    for (const { lane } of this.#lanes.values()) this.#ports.pause(lane.partition);
    await Promise.all([...this.#lanes.values()].map(({ lane }) => lane.finish()));
  }

  /** Cuts off all deliveries. */
  close(): void {
    for (const { lane, paused, wake } of this.#lanes.values()) {
      lane.close();
      wake();
      // kafkajs remembers what is paused across rebalances.
      if (paused) this.#ports.resume(lane.partition);
    }
    this.#lanes = new Map();
  }

  #open(partition: Partition, capacityBytes: number): Held {
    const { batcher, delivery, delivered, resume } = this.#ports;
    const held: Held = {
      paused: false,
      slow: false,
      wake: () => undefined,
      lane: new Lane(partition, capacityBytes, {
        batcher,
        delivery,
        delivered: (offset, commit) => delivered(partition, offset, commit),
        drained: () => {
          held.wake();
          if (!held.paused) return;
          held.paused = false;
          resume(partition);
        },
      }),
    };
    return held;
  }
}
