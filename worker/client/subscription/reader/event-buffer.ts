/**
 * What a `for await` over a subscription has not yet taken. It is bounded: when it is full, the oldest
 * event goes, because the newest is worth more, and the next event says that something is missing.
 */

import type { EventInfo } from '../../events.ts';
import type { Gap } from './cursor.ts';

/** How many events a busy page may fall behind: the largest state has 4,000, and comes at once. */
export const MAX_BUFFERED_EVENTS = 5_000;
/** How many characters of frames that may be: a parsed event takes a few bytes for each. */
const MAX_BUFFERED_CHARACTERS = 8_000_000;

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
  readonly #items: { value: Received<Event>; readonly characters: number }[] = [];
  #characters = 0;
  #gap: Gap | undefined;
  #isOverflowing = false;
  #hasEnded = false;
  #failure: Error | undefined;
  readonly #waiting: ((result: Promise<Taken<Event>> | Taken<Event>) => void)[] = [];

  missed(gap: Gap): void {
    this.#gap = joined(this.#gap, gap);
  }

  /**
   * Gives the gap when this event makes the buffer overflow: once until the loop has caught up.
   * @param characters of the event's text, about.
   */
  push(event: Event, info: EventInfo, characters = 0): Gap | undefined {
    const value = { ...info, event, ...(this.#gap && { gap: this.#gap }) };
    this.#gap = undefined;
    const resolve = this.#waiting.shift();
    if (resolve) {
      resolve({ value });
      return undefined;
    }
    this.#items.push({ value, characters });
    this.#characters += characters;
    const lost = this.#dropOldest();
    if (!lost || this.#isOverflowing) return undefined;
    this.#isOverflowing = true;
    return lost;
  }

  /** The newest event is kept, however long it is. */
  #isTooLong(): boolean {
    const { length } = this.#items;
    return (
      length > MAX_BUFFERED_EVENTS || (length > 1 && this.#characters > MAX_BUFFERED_CHARACTERS)
    );
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
    const value = this.#take();
    if (value) return { value };
    this.#isOverflowing = false;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#hasEnded) this.end();
    });
  }

  #take(): Received<Event> | undefined {
    const item = this.#items.shift();
    this.#characters -= item?.characters ?? 0;
    return item?.value;
  }

  /** Drops the oldest until the rest is short enough, and gives what is lost by that. */
  #dropOldest(): Gap | undefined {
    let lost: Gap | undefined;
    while (this.#isTooLong()) {
      const { epoch, seq, gap } = this.#take() as Received<Event>;
      lost = joined(lost ?? gap, { epoch, from: seq - 1, to: seq, reason: 'overflow' });
    }
    const [next] = this.#items;
    if (lost && next) next.value = { ...next.value, gap: joined(lost, next.value.gap ?? lost) };
    return lost;
  }
}

/** From where the first begins to where the second ends. */
function joined(first: Gap | undefined, second: Gap): Gap {
  return { ...second, from: (first ?? second).from };
}
