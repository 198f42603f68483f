/**
 * Sends notifications in the background, so that what its caller is about never waits for Kafka nor
 * fails with it.
 *
 * Each target has a lane of its own: of a batch it has one notification at most, and while one is
 * to be tried again those behind it wait. So order holds per target whatever fails, and nobody waits
 * for another's failure. An outage (`kafka_unavailable`, `gateway_unavailable`,
 * `batch_too_frequent`) is no notification's fault and uses up no retry: all wait until it is over, bounded by the queue's size.
 *
 * At least once: of a send that was not confirmed nobody knows whether it was taken, and it is sent
 * again. That is so for all of a batch during which the connection was lost; whoever cannot bear a
 * repetition puts an id of its own into the data.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { backoffMs, type Pause, pause as realPause } from '../shared/backoff.ts';
import { isForGood, PublishError, type PublishErrorCode, toPublishError } from './errors.ts';
import type { Notification } from './events.ts';
import { isOutage } from './notification-service.ts';
import { readTarget } from './notification-target.ts';
import type { PublishResult } from './producer.ts';

/** What a queue sends through; a `NotificationService` is one. */
export interface NotificationSender {
  publishNotifications(list: readonly Notification[]): Promise<PublishResult>;
}

/** Why a notification was given up. */
export interface DropReason {
  readonly code: PublishErrorCode;
  readonly message: string;
}

export interface NotificationQueueOptions {
  /** How many notifications may wait; 10 000 unless given. */
  readonly maxSize?: number | undefined;
  /** How often one that failed is tried again, after 1 s, 2 s, 4 s, …; 3 unless given. */
  readonly retries?: number | undefined;
  /** Is told of every notification that is given up. Without it they go to `console.error`. */
  readonly onDropped?: ((notification: Notification, reason: DropReason) => void) | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
  readonly pause?: Pause | undefined;
  readonly random?: (() => number) | undefined;
}

/** Some 10 MB of usual notifications. */
const MAX_SIZE = 10_000;
const RETRIES = 3;
const FIRST_RETRY_MS = 1_000;
/** A day, whatever `retries` is. */
const MAX_RETRY_MS = 86_400_000;
/** As many as `publishNotifications` sends at once. */
const BATCH_SIZE = 100;
/** Between attempts during an outage; the producer has retried by itself before. */
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 5_000 };
const SHUTDOWN_TIMEOUT_MS = 5_000;

interface Entry {
  readonly lane: string;
  readonly notification: Notification;
  failures: number;
  /** Unix ms before which it is not tried. */
  notBefore: number;
}

/**
 * A bounded queue of notifications that retries by itself.
 *
 * @example
 * import { NotificationQueue, NotificationService } from '@moonx-farm/websocket-gateway';
 *
 * const queue = new NotificationQueue(new NotificationService(), {
 *   onDropped: (notification, { code }) => log.warn({ type: notification.type, code }),
 * });
 * await queue.addNotification({
 *   type: 'swap_completed',
 *   target: { type: 'user', id: 'user-123' },
 *   data: { swapId: 'swap-456' },
 * });
 * await queue.shutdown({ timeoutMs: 5_000 });
 */
export class NotificationQueue {
  readonly #sender: NotificationSender;
  readonly #maxSize: number;
  readonly #retries: number;
  readonly #onDropped: (notification: Notification, reason: DropReason) => void;
  readonly #now: () => number;
  readonly #pause: Pause;
  readonly #random: () => number;
  /** By target, each in its order. The target whose turn is next comes first; none is empty. */
  readonly #lanes = new Map<string, Entry[]>();
  readonly #whenEmpty = new Set<() => void>();
  #size = 0;
  #isRunning = false;
  #outages = 0;
  /** Unix ms until which an outage is waited out. */
  #pausedUntil = 0;
  #alarm = new AbortController();
  #closing: Promise<void> | undefined;
  #isClosed = false;

  constructor(sender: NotificationSender, options: NotificationQueueOptions = {}) {
    this.#sender = sender;
    this.#maxSize = options.maxSize ?? MAX_SIZE;
    this.#retries = options.retries ?? RETRIES;
    this.#onDropped = options.onDropped ?? logDropped;
    this.#now = options.now ?? Date.now;
    this.#pause = options.pause ?? realPause;
    this.#random = options.random ?? Math.random;
  }

  /** How many notifications wait or are being sent. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes a notification, with the present time as its own unless it has one. It resolves at once and
   * never rejects: whatever becomes of it, if it is not published `onDropped` is told. Its data is
   * read when it is sent, so leave it unchanged.
   */
  async addNotification<Given extends Notification>(notification: Given): Promise<void> {
    if (this.#closing !== undefined) {
      this.#drop(notification, { code: 'queue_closed', message: 'the queue has been shut down' });
    } else if (this.#size >= this.#maxSize) {
      const message = `${this.#maxSize} notifications wait already`;
      this.#drop(notification, { code: 'queue_full', message });
    } else {
      this.#take(notification);
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
   * left: `onDropped` is told `queue_closed` of each. Those that were just being sent may arrive even
   * so. The service is left to its owner.
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
    const left = [...this.#lanes.values()].flat();
    this.#lanes.clear();
    this.#size = 0;
    this.#alarm.abort();
    const reason: DropReason = { code: 'queue_closed', message: 'the queue was shut down before' };
    for (const { notification } of left) this.#drop(notification, reason);
    this.#tellEmpty();
  }

  #take(notification: Notification): void {
    let copy: Notification;
    try {
      const target = readTarget(notification?.target);
      copy = { ...notification, target, timestamp: notification.timestamp ?? this.#now() };
    } catch (error) {
      const isOurs = error instanceof PublishError && error.code === 'target_invalid';
      const code = isOurs ? error.code : 'data_invalid';
      const message = isOurs ? error.message : 'a member throws when it is read';
      this.#drop(notification, { code, message });
      return;
    }
    this.#append(copy);
  }

  #append(notification: Notification): void {
    const lane = laneOf(notification);
    const entry = { lane, notification, failures: 0, notBefore: 0 };
    const entries = this.#lanes.get(lane);
    if (entries === undefined) this.#lanes.set(lane, [entry]);
    else entries.push(entry);
    this.#size++;
    if (!this.#isRunning) void this.#run();
    // During an outage there is nothing to wake for; else another target's retry is awaited.
    else if (this.#pausedUntil <= this.#now()) this.#alarm.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What is added in the same turn of the event loop goes together, even if each was awaited.
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
    this.#tellEmpty();
  }

  /** The first of each target that may be tried now, a batch of them. */
  #due(now: number): Entry[] {
    const batch: Entry[] = [];
    for (const [first] of this.#lanes.values()) {
      if (first === undefined || first.notBefore > now) continue;
      batch.push(first);
      if (batch.length === BATCH_SIZE) break;
    }
    return batch;
  }

  /** Unix ms at which a target's first may be tried. */
  #nextRetry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [first] of this.#lanes.values()) next = Math.min(next, first?.notBefore ?? next);
    return next;
  }

  async #sleep(ms: number): Promise<void> {
    this.#alarm = new AbortController();
    await this.#pause(ms, this.#alarm.signal);
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    const refusals = await this.#publish(batch);
    // Closed meanwhile: of all that were left it has been told.
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

  /** Why those of the batch that were not taken were not, by their places. */
  async #publish(batch: readonly Entry[]): Promise<Map<number, DropReason>> {
    try {
      const list = batch.map(({ notification }) => notification);
      const { rejected } = await this.#sender.publishNotifications(list);
      return new Map(rejected.map(({ index, code, message }) => [index, { code, message }]));
    } catch (error) {
      const { code, message } = toPublishError(error);
      return new Map(batch.map((_, index) => [index, { code, message }]));
    }
  }

  #conclude(entry: Entry, refusal: DropReason | undefined): void {
    if (refusal === undefined) {
      this.#remove(entry);
    } else if (isForGood(refusal.code) || entry.failures >= this.#retries) {
      this.#remove(entry);
      this.#drop(entry.notification, refusal);
    } else {
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** entry.failures, MAX_RETRY_MS);
      entry.notBefore = this.#now() + waitMs;
      entry.failures++;
    }
  }

  /** Takes off the first of its target, whose turn comes again after all others'. */
  #remove({ lane }: Entry): void {
    const entries = this.#lanes.get(lane);
    entries?.shift();
    this.#size--;
    this.#lanes.delete(lane);
    if (entries !== undefined && entries.length > 0) this.#lanes.set(lane, entries);
  }

  #drop(notification: Notification, reason: DropReason): void {
    try {
      const told: unknown = this.#onDropped(notification, reason);
      // It may be an async function, whose failure is as little ours.
      if (told instanceof Promise) told.catch(() => undefined);
    } catch {
      // What fails in there must not keep the next notification.
    }
  }

  #tellEmpty(): void {
    for (const done of this.#whenEmpty) done();
  }
}

function laneOf({ target }: Notification): string {
  return `${target.type}:${target.id}`;
}

function logDropped(_: Notification, { code, message }: DropReason): void {
  console.error(`A notification was dropped: ${code}: ${message}`);
}
