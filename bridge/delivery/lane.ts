/**
 * One partition on its way to the Worker: a bounded queue, and one batch of it in flight at a time.
 *
 *   idle ──enqueue──▶ delivering ──queue empty──▶ idle
 *     │                   │
 *     └───────────────────┴──finish──▶ stopped: it takes nothing, the batch in flight still counts
 *                         └──close───▶ closed: it takes nothing and reports nothing
 *
 * Fetching runs ahead of delivering by this queue, so a slow partition fills its own queue and is
 * paused, while its siblings flow. The group's offset follows what was delivered, never what was
 * fetched: what a closed lane still held is fetched again by whoever owns the partition next. A fetch may
 * pass more offsets than those of its records, and these count once its last record is delivered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_BATCH_RECORDS } from '../../worker/protocol/batch/batch.ts';
import type { FetchedBatch, KafkaRecord, Partition } from '../kafka/record.ts';
import type { Batcher, Cut } from './batcher.ts';
import type { Delivery } from './delivery.ts';
import { StopController } from './stop.ts';

/** By then a batch is signed and has left, so composing the next one delays nothing. */
const POST_LEAVES_MS = 1;

/** What a record costs in memory beside its bytes: the objects and buffers of kafkajs. */
const RECORD_OVERHEAD_BYTES = 400;

export interface LanePorts {
  readonly batcher: Pick<Batcher, 'cut'>;
  readonly delivery: Pick<Delivery, 'deliver'>;
  /** Everything up to `offset` is delivered or passed. `commit` is false after `disown`. */
  readonly delivered: (offset: string, commit: boolean) => void;
  /** The lane has space again after it was full. */
  readonly drained: () => void;
}

export class Lane {
  readonly partition: Partition;
  readonly #ports: LanePorts;
  readonly #capacityBytes: number;
  readonly #stop = new StopController();
  #queue: KafkaRecord[] = [];
  /** The ends of the fetches whose records are queued. */
  #ends: FetchEnd[] = [];
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

  /** The size of the records that wait or are in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many records wait or are in flight. */
  get count(): number {
    return this.#queue.length;
  }

  /** Whether it holds as much as it may. One fetch more than that fits, so no fetch is ever cut. */
  get full(): boolean {
    return this.#full;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Queues a whole fetch. A lane that is full or stopped queues nothing, and it comes again. */
  enqueue({ records, passed }: Pick<FetchedBatch, 'records' | 'passed'>): boolean {
    if (this.#full || this.#stop.retrying.aborted) return false;
    for (const record of records) {
      this.#queue.push(record);
      this.#bytes += bytesOf(record);
    }
    const end = { after: this.#queue.length, passed };
    // A fetch without records replaces the end of the one before.
    if (this.#ends.at(-1)?.after === end.after) this.#ends.pop();
    this.#ends.push(end);
    this.#full = this.#bytes >= this.#capacityBytes;
    if (this.#queue.length > 0) this.#running ??= this.#run();
    else this.#reportPassed(undefined, false);
    return true;
  }

  /** The log was reset: what is queued is still delivered, but its offsets mean nothing now. */
  disown(): void {
    this.#disowned = this.#queue.length;
    this.#ends = [];
  }

  /** Forgets everything at once: the partition is another's, or its position is read anew. */
  close(): void {
    this.#closed = true;
    this.#stop.abandon();
    this.#queue = [];
    this.#ends = [];
    this.#bytes = 0;
  }

  /** Lets the batch in flight be answered, and delivers no other. Resolves when it is answered. */
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
      // Only a full batch is cut ahead; a smaller one better waits for what comes meanwhile.
      const isMore = this.#queue.length - cut.taken >= MAX_BATCH_RECORDS;
      const ahead = isMore ? this.#cutAhead(cut.taken) : undefined;
      const done = await delivery;
      // This comes before the queue moves on, because the batch is cut from the queue.
      next = ahead === undefined ? undefined : await ahead;
      if (!done || this.#closed) break;
      this.#advance(cut);
    }
    this.#running = undefined;
  }

  /** Composes the batch from `queue[from]` on while the Worker is at work on the one before. */
  async #cutAhead(from: number): Promise<Cut | undefined> {
    await sleep(POST_LEAVES_MS);
    return this.#closed ? undefined : this.#ports.batcher.cut(this.partition, this.#queue, from);
  }

  #advance({ taken }: Cut): void {
    const gone = this.#queue.splice(0, taken);
    for (const record of gone) this.#bytes -= bytesOf(record);
    for (const end of this.#ends) end.after -= taken;
    this.#reportPassed(gone.at(-1)?.offset, taken > this.#disowned);
    this.#disowned = Math.max(0, this.#disowned - taken);
    // It is reported at half, so that the next fetch has returned before the queue runs dry.
    if (this.#full && this.#bytes <= this.#capacityBytes / 2) {
      this.#full = false;
      this.#ports.drained();
    }
  }

  /** @param offset is of the last record that was delivered; a fetch that ends there may pass more. */
  #reportPassed(offset: string | undefined, commit: boolean): void {
    let passed: string | undefined;
    for (let end = this.#ends[0]; end !== undefined && end.after <= 0; end = this.#ends[0]) {
      passed = end.passed;
      this.#ends.shift();
    }
    // An end that is still known is of the log as it is now.
    if (passed !== undefined) this.#ports.delivered(passed, true);
    else if (offset !== undefined) this.#ports.delivered(offset, commit);
  }
}

/** Where a fetch ends. */
interface FetchEnd {
  /** How many records of the queue come before it. */
  after: number;
  /** The last offset that the fetch passes. */
  readonly passed: string;
}

function bytesOf({ key, value }: KafkaRecord): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
}
