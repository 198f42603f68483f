/**
 * What a `for await` over a subscription has not yet taken. It is bounded: when it is full, the oldest
 * event goes, because the newest is worth more, and the next event says that something is missing.
 */

import type { EventInfo } from '../events.ts';
import type { Gap } from './cursor.ts';

/** How many events a busy page may fall behind: a few MB of order books. */
export const MAX_BUFFERED_EVENTS = 1_000;

/** An event, as a loop over a subscription gets it. */
export interface Received<Event> extends EventInfo {
  readonly event: Event;
  /** What is missing before this event, if anything is. */
  readonly gap?: Gap;
}

/** What a loop takes: an event, or the end. */
export type Taken<Event> = IteratorResult<Received<Event>, undefined>;
export const END = { value: undefined, done: true } as const;

export class EventBuffer<Event> {
  readonly #items: Received<Event>[] = [];
  #gap: Gap | undefined;
  #isOverflowing = false;
  #hasEnded = false;
  #failure: Error | undefined;
  readonly #waiting: ((result: Promise<Taken<Event>> | Taken<Event>) => void)[] = [];

  missed(gap: Gap): void {
    this.#gap = joined(this.#gap, gap);
  }

  /** Gives the gap when this event makes the buffer overflow: once until the loop has caught up. */
  push(event: Event, info: EventInfo): Gap | undefined {
    const value = { ...info, event, ...(this.#gap && { gap: this.#gap }) };
    this.#gap = undefined;
    const resolve = this.#waiting.shift();
    if (resolve) resolve({ value });
    else this.#items.push(value);
    return this.#items.length > MAX_BUFFERED_EVENTS ? this.#overflow() : undefined;
  }

  /** Nothing more comes; what is here can still be taken, and then `failure` is thrown. */
  end(failure?: Error): void {
    this.#hasEnded = true;
    this.#failure ??= failure;
    for (const resolve of this.#waiting.splice(0)) {
      resolve(this.#failure ? Promise.reject(this.#failure) : END);
    }
  }

  /** The oldest, once there is one: whoever asks first gets it. */
  async next(): Promise<Taken<Event>> {
    const value = this.#items.shift();
    if (value) return { value };
    this.#isOverflowing = false;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#hasEnded) this.end();
    });
  }

  #overflow(): Gap | undefined {
    const [oldest, next] = this.#items.splice(0, 2);
    if (!oldest || !next) return undefined;
    const { epoch, seq } = oldest;
    const lost = joined(oldest.gap, { epoch, from: seq - 1, to: seq, reason: 'overflow' });
    this.#items.unshift({ ...next, gap: joined(lost, next.gap ?? lost) });
    const isFirst = !this.#isOverflowing;
    this.#isOverflowing = true;
    return isFirst ? lost : undefined;
  }
}

/** From where the first begins to where the second ends. */
function joined(first: Gap | undefined, second: Gap): Gap {
  return { ...second, from: (first ?? second).from };
}
