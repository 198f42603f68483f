/**
 * One partition on its way to the Worker: a bounded queue, and one batch of it under way at a time.
 *
 *   idle ──take──▶ delivering ──queue empty──▶ idle
 *     │                │
 *     └────────────────┴──finish──▶ stopped: takes nothing, the batch under way still counts
 *                      └──close───▶ closed: takes nothing, reports nothing
 *
 * Fetching runs ahead of delivering by this queue, so a slow partition fills its own queue and is
 * paused, while its siblings flow. The group's offset follows what was delivered, never what was
 * fetched: what a closed lane still held is fetched again by whoever owns the partition next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_BATCH_RECORDS } from '../../worker/protocol/batch.ts';
import type { KafkaRecord, Partition } from '../kafka/record.ts';
import type { Batcher, Cut } from './batcher.ts';
import type { Delivery } from './delivery.ts';
import { StopSource } from './stop.ts';

/** By then a batch is signed and on its way, and composing the next holds nothing up. */
const POST_LEAVES_MS = 1;

/** What a record costs in memory beside its bytes: kafkajs's object, header map and buffers. */
const RECORD_OVERHEAD_BYTES = 400;

export interface LanePorts {
  readonly batcher: Pick<Batcher, 'cut'>;
  readonly delivery: Pick<Delivery, 'deliver'>;
  /** Everything up to `offset` is delivered. `commit` is false after `disown`. */
  readonly delivered: (offset: string, commit: boolean) => void;
  /** The lane has room again after it was full. */
  readonly drained: () => void;
}

export class Lane {
  readonly partition: Partition;
  readonly #ports: LanePorts;
  readonly #capacityBytes: number;
  readonly #stop = new StopSource();
  #queue: KafkaRecord[] = [];
  #bytes = 0;
  #full = false;
  #closed = false;
  /** How many of the queue's first records are not to be committed. */
  #disowned = 0;
  #running: Promise<void> | undefined;

  constructor(partition: Partition, capacityBytes: number, ports: LanePorts) {
    this.partition = partition;
    this.#capacityBytes = capacityBytes;
    this.#ports = ports;
  }

  /** Of the records that wait or are under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it holds as much as it may. One fetch more than that fits, so none is ever cut. */
  get full(): boolean {
    return this.#full;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Queues `records`, all or none: a lane that is full or stopped refuses, and they come again. */
  enqueue(records: readonly KafkaRecord[]): boolean {
    if (this.#full || this.#stop.retrying.aborted) return false;
    for (const record of records) {
      this.#queue.push(record);
      this.#bytes += bytesOf(record);
    }
    this.#full = this.#bytes >= this.#capacityBytes;
    this.#running ??= this.#run();
    return true;
  }

  /** The log was reset under us: what is queued is delivered, but its offsets mean nothing now. */
  disown(): void {
    this.#disowned = this.#queue.length;
  }

  /** The partition is another's, or its position is to be read anew: forget all of it, at once. */
  close(): void {
    this.#closed = true;
    this.#stop.abandon();
    this.#queue = [];
    this.#bytes = 0;
  }

  /** Lets the batch under way be answered, and delivers no other. Resolves when it is. */
  async finish(): Promise<void> {
    this.#stop.finish();
    await this.#running;
    this.#closed = true;
  }

  async #run(): Promise<void> {
    let next: Cut | undefined;
    while (this.#queue.length > 0 && !this.#stop.retrying.aborted) {
      const cut = next ?? this.#ports.batcher.cut(this.partition, this.#queue);
      const delivery = this.#ports.delivery.deliver(this.partition, cut, this.#stop);
      // Only a full one: for a smaller one it is better to wait for what comes meanwhile.
      const isMore = this.#queue.length - cut.taken >= MAX_BATCH_RECORDS;
      const ahead = isMore ? this.#cutAhead(cut.taken) : undefined;
      const done = await delivery;
      // Before the queue moves on, for it is cut from there.
      next = ahead === undefined ? undefined : await ahead;
      if (!done || this.#closed) break;
      this.#advance(cut);
    }
    this.#running = undefined;
  }

  /** The batch from `queue[from]` on, composed while the Worker is at work on the one before. */
  async #cutAhead(from: number): Promise<Cut | undefined> {
    await sleep(POST_LEAVES_MS);
    return this.#closed ? undefined : this.#ports.batcher.cut(this.partition, this.#queue, from);
  }

  #advance({ taken }: Cut): void {
    const gone = this.#queue.splice(0, taken);
    const last = gone.at(-1);
    for (const record of gone) this.#bytes -= bytesOf(record);
    if (last !== undefined) this.#ports.delivered(last.offset, taken > this.#disowned);
    this.#disowned = Math.max(0, this.#disowned - taken);
    // Half empty, so that the next fetch has returned before the queue runs dry.
    if (this.#full && this.#bytes <= this.#capacityBytes / 2) {
      this.#full = false;
      this.#ports.drained();
    }
  }
}

function bytesOf({ key, value }: KafkaRecord): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
}
