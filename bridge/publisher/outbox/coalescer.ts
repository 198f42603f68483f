/**
 * Sends what is added, in its order and one send at a time: what is added while a send is under way
 * waits and goes together with the next. So a publisher is as quick as its connection when little
 * is published, and its sends grow fuller when much is.
 *
 * When a send fails as a whole, what waits behind it fails with it, untried: a later event of the
 * same key must not overtake an earlier one that its caller is about to publish again. For the same
 * reason, once an item was refused because too much waits, all are refused until half of that has gone.
 * Otherwise a smaller item would slip in right behind it.
 */
import { PublishError, toPublishError } from '../errors.ts';

/** What became of an item: undefined when it was taken. */
export type Outcome = PublishError | undefined;

/** What became of each item, in order; and why nothing more can be sent at present, if so. */
export interface Sent {
  readonly outcomes: readonly Outcome[];
  readonly failure?: PublishError | undefined;
}

export interface CoalescerOptions<Item> {
  readonly send: (items: readonly Item[]) => Promise<Sent>;
  /** Bounds of one send. A single item may be larger. */
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Bounds of what waits. */
  readonly maxWaitingItems?: number;
  readonly maxWaitingBytes?: number;
}

/** Several seconds of everything that one publisher can send, and little beside a service's own memory. */
const MAX_WAITING_ITEMS = 100_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Entry<Item> {
  readonly item: Item;
  readonly bytes: number;
  readonly settle: (outcome: Outcome) => void;
}

export class Coalescer<Item> {
  readonly #options: Required<CoalescerOptions<Item>>;
  #waiting: Entry<Item>[] = [];
  /** How many of `#waiting` have left it: taking them off one by one would move all the others. */
  #head = 0;
  #waitingBytes = 0;
  #isRefusing = false;
  #running: Promise<void> | undefined;

  constructor(options: CoalescerOptions<Item>) {
    this.#options = {
      maxWaitingItems: MAX_WAITING_ITEMS,
      maxWaitingBytes: MAX_WAITING_BYTES,
      ...options,
    };
  }

  /** Resolves with what became of `item`; it never rejects. */
  add(item: Item, bytes: number): Promise<Outcome> {
    if (!this.#hasRoom(bytes)) {
      const message = 'more waits to be sent than may be held in memory';
      return Promise.resolve(new PublishError('publisher_busy', message));
    }
    return new Promise((settle) => {
      this.#waiting.push({ item, bytes, settle });
      this.#waitingBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #hasRoom(bytes: number): boolean {
    const { maxWaitingItems, maxWaitingBytes } = this.#options;
    const items = this.#waiting.length - this.#head;
    if (this.#isRefusing) {
      this.#isRefusing = items * 2 > maxWaitingItems || this.#waitingBytes * 2 > maxWaitingBytes;
    }
    if (items >= maxWaitingItems || this.#waitingBytes + bytes > maxWaitingBytes) {
      this.#isRefusing = true;
    }
    return !this.#isRefusing;
  }

  async #run(): Promise<void> {
    // What is published in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#head < this.#waiting.length) {
      const entries = this.#cut();
      const { outcomes, failure } = await this.#send(entries);
      for (const [index, { settle }] of entries.entries()) settle(outcomes[index]);
      if (failure !== undefined) this.#failWaiting(failure);
    }
    this.#running = undefined;
  }

  async #send(entries: readonly Entry<Item>[]): Promise<Sent> {
    try {
      return await this.#options.send(entries.map(({ item }) => item));
    } catch (error) {
      const failure = toPublishError(error);
      return { outcomes: entries.map(() => failure), failure };
    }
  }

  #cut(): Entry<Item>[] {
    const { maxItems, maxBytes } = this.#options;
    const end = Math.min(this.#waiting.length, this.#head + maxItems);
    let bytes = 0;
    let to = this.#head;
    for (; to < end; to++) {
      const size = this.#waiting[to]?.bytes ?? 0;
      if (to > this.#head && bytes + size > maxBytes) break;
      bytes += size;
    }
    const entries = this.#waiting.slice(this.#head, to);
    this.#head = to;
    this.#waitingBytes -= bytes;
    if (this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return entries;
  }

  #failWaiting(failure: PublishError): void {
    const entries = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    this.#waitingBytes = 0;
    for (const { settle } of entries) settle(failure);
  }
}
