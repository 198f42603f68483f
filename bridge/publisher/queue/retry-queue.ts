/**
 * A bounded queue in memory that retries by itself, so that what its caller is about never waits for
 * Kafka nor fails with it.
 *
 * Each item has a key. A batch has one item of a key at most, and while an item is to be tried again,
 * those behind it with the same key wait. So order holds within a key whatever fails, and no item waits
 * for the failure of another key. An outage (`kafka_unavailable`, `gateway_unavailable`,
 * `batch_too_frequent`) is no item's fault and uses up no retry: all items wait until it is over,
 * bounded by the size of the queue.
 *
 * At least once: nobody knows whether a send that was not confirmed was taken, so it is sent again.
 * That is so for all of a batch during which the connection was lost. A publisher that cannot bear a
 * repetition puts an id of its own into the data.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { backoffMs, type Pause, pause as realPause } from '../../shared/backoff.ts';
import { isForGood, isOutage, type PublishErrorCode, toPublishError } from '../errors.ts';
import type { PublishResult } from '../producer.ts';

/** Why an item was given up. */
export interface DropReason {
  readonly code: PublishErrorCode;
  readonly message: string;
}

export interface QueueOptions<Item> {
  /** How many items may wait; 10 000 unless given. */
  readonly maxSize?: number | undefined;
  /** How often an item that failed is tried again, after 1 s, 2 s, 4 s, …; 3 unless given. */
  readonly retries?: number | undefined;
  /** Is called for every item that is given up. Without it they go to `console.error`. */
  readonly onDropped?: ((item: Item, reason: DropReason) => void) | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
  readonly pause?: Pause | undefined;
  readonly random?: (() => number) | undefined;
}

/** How a queue sends its items. */
export interface QueuePorts<Item> {
  /** Sends a batch; each item is judged by itself. */
  readonly send: (items: readonly Item[]) => Promise<PublishResult>;
  /** Items of one key keep their order. */
  readonly keyOf: (item: Item) => string;
}

/** How many items may wait: some 10 MB of usual notifications. */
const MAX_SIZE = 10_000;
const RETRIES = 3;
const FIRST_RETRY_MS = 1_000;
/** No retry comes later than a day after the one before, whatever `retries` is. */
const MAX_RETRY_MS = 86_400_000;
/** As many as `NotificationService.publishNotifications` sends at once. */
const BATCH_SIZE = 100;
/** The wait between attempts during an outage; the producer has retried by itself before. */
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 5_000 };
const SHUTDOWN_TIMEOUT_MS = 5_000;

interface Entry<Item> {
  readonly key: string;
  readonly item: Item;
  failures: number;
  /** It is not tried before this, Unix ms. */
  notBefore: number;
}

export class RetryQueue<Item> {
  readonly #ports: QueuePorts<Item>;
  readonly #maxSize: number;
  readonly #retries: number;
  readonly #onDropped: (item: Item, reason: DropReason) => void;
  readonly #now: () => number;
  readonly #pause: Pause;
  readonly #random: () => number;
  /** What waits by key, with at least one item each. The key whose turn is next comes first. */
  readonly #byKey = new Map<string, Entry<Item>[]>();
  readonly #whenEmpty = new Set<() => void>();
  #size = 0;
  #isRunning = false;
  #outages = 0;
  /** Until then an outage is waited out, Unix ms. */
  #pausedUntil = 0;
  #alarm = new AbortController();
  #closing: Promise<void> | undefined;
  #isClosed = false;

  constructor(ports: QueuePorts<Item>, options: QueueOptions<Item> = {}) {
    this.#ports = ports;
    this.#maxSize = options.maxSize ?? MAX_SIZE;
    this.#retries = options.retries ?? RETRIES;
    this.#onDropped = options.onDropped ?? logDropped;
    this.#now = options.now ?? Date.now;
    this.#pause = options.pause ?? realPause;
    this.#random = options.random ?? Math.random;
  }

  /** How many items wait or are being sent. */
  get size(): number {
    return this.#size;
  }

  /** Takes an item. It never throws: an item that is not published is passed to `onDropped`. */
  add(item: Item): void {
    if (this.#closing !== undefined) {
      this.drop(item, { code: 'queue_closed', message: 'the queue has been shut down' });
    } else if (this.#size >= this.#maxSize) {
      this.drop(item, { code: 'queue_full', message: `${this.#maxSize} items wait already` });
    } else {
      this.#append(item);
    }
  }

  /**
   * Waits until the queue is empty, at most `timeoutMs`; without it for as long as it takes.
   * @returns whether it is empty.
   */
  async drain({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    if (this.#size === 0) return true;
    const over = new AbortController();
    const empty = new Promise<void>((resolve) => {
      const done = () => {
        this.#whenEmpty.delete(done);
        resolve();
      };
      this.#whenEmpty.add(done);
      if (timeoutMs !== undefined) void this.#pause(timeoutMs, over.signal).then(done);
    });
    await empty;
    over.abort();
    return this.#size === 0;
  }

  /**
   * Takes nothing more, drains for at most `timeoutMs` (5 s unless given), then gives up what is
   * left: `onDropped` gets each with `queue_closed`. Items that were just being sent may arrive even
   * so. What the queue sends through is left to its owner.
   */
  shutdown({
    timeoutMs = SHUTDOWN_TIMEOUT_MS,
  }: {
    readonly timeoutMs?: number;
  } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    await this.drain({ timeoutMs });
    this.#isClosed = true;
    const left = [...this.#byKey.values()].flat();
    this.#byKey.clear();
    this.#size = 0;
    this.#alarm.abort();
    const reason: DropReason = { code: 'queue_closed', message: 'the queue was shut down before' };
    for (const { item } of left) this.drop(item, reason);
    this.#notifyEmpty();
  }

  #append(item: Item): void {
    const key = this.#ports.keyOf(item);
    const entry = { key, item, failures: 0, notBefore: 0 };
    const entries = this.#byKey.get(key);
    if (entries === undefined) this.#byKey.set(key, [entry]);
    else entries.push(entry);
    this.#size++;
    if (!this.#isRunning) void this.#run();
    // During an outage there is nothing to wake for. Otherwise another key's retry is awaited.
    else if (this.#pausedUntil <= this.#now()) this.#alarm.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What is added in the same turn of the event loop goes together, even if each call was awaited.
    await turn();
    while (this.#size > 0) {
      const now = this.#now();
      if (this.#pausedUntil > now) {
        await this.#sleep(this.#pausedUntil - now);
        continue;
      }
      const batch = this.#due(now);
      if (batch.length > 0) await this.#send(batch);
      else await this.#sleep(this.#nextRetry() - now);
    }
    this.#isRunning = false;
    this.#notifyEmpty();
  }

  /** A batch: the first item of each key that may be tried now. */
  #due(now: number): Entry<Item>[] {
    const batch: Entry<Item>[] = [];
    for (const [first] of this.#byKey.values()) {
      if (first === undefined || first.notBefore > now) continue;
      batch.push(first);
      if (batch.length === BATCH_SIZE) break;
    }
    return batch;
  }

  /** When the first item of some key may be tried, Unix ms. */
  #nextRetry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [first] of this.#byKey.values()) next = Math.min(next, first?.notBefore ?? next);
    return next;
  }

  async #sleep(ms: number): Promise<void> {
    this.#alarm = new AbortController();
    await this.#pause(ms, this.#alarm.signal);
  }

  async #send(batch: readonly Entry<Item>[]): Promise<void> {
    const refusals = await this.#publish(batch);
    // The queue was closed meanwhile, and `onDropped` has got everything that was left.
    if (this.#isClosed) return;
    let outage = false;
    for (const [index, entry] of batch.entries()) {
      const refusal = refusals.get(index);
      if (refusal !== undefined && isOutage(refusal.code)) outage = true;
      else this.#conclude(entry, refusal);
    }
    this.#outages = outage ? this.#outages + 1 : 0;
    if (outage) {
      const waitMs = backoffMs(this.#outages - 1, OUTAGE_BACKOFF, this.#random);
      this.#pausedUntil = this.#now() + waitMs;
    }
  }

  /** Why items of the batch were not taken, by their places. */
  async #publish(batch: readonly Entry<Item>[]): Promise<Map<number, DropReason>> {
    try {
      const { rejected } = await this.#ports.send(batch.map(({ item }) => item));
      return new Map(rejected.map(({ index, code, message }) => [index, { code, message }]));
    } catch (error) {
      const { code, message } = toPublishError(error);
      return new Map(batch.map((_, index) => [index, { code, message }]));
    }
  }

  #conclude(entry: Entry<Item>, refusal: DropReason | undefined): void {
    if (refusal === undefined) {
      this.#remove(entry);
    } else if (isForGood(refusal.code) || entry.failures >= this.#retries) {
      this.#remove(entry);
      this.drop(entry.item, refusal);
    } else {
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** entry.failures, MAX_RETRY_MS);
      entry.notBefore = this.#now() + waitMs;
      entry.failures++;
    }
  }

  /** Removes the first item of a key, whose turn then comes again after all others. */
  #remove({ key }: Entry<Item>): void {
    const entries = this.#byKey.get(key);
    entries?.shift();
    this.#size--;
    this.#byKey.delete(key);
    if (entries !== undefined && entries.length > 0) this.#byKey.set(key, entries);
  }

  /** Gives an item up. What fails in `onDropped` must not keep the next item. */
  drop(item: Item, reason: DropReason): void {
    try {
      const result: unknown = this.#onDropped(item, reason);
      // It may be an async function.
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // It is the caller's own fault.
    }
  }

  #notifyEmpty(): void {
    for (const done of this.#whenEmpty) done();
  }
}

function logDropped(_item: unknown, { code, message }: DropReason): void {
  console.error(`A queued event was dropped: ${code}: ${message}`);
}
