/** The log of a room, as far as numbers tell. */
import type { Cursor } from '../../../worker/protocol/frames.ts';

export class ModelLog {
  epoch = 1;
  head = 0;
  /** Nothing up to here is kept. */
  trimmedTo = 0;
  /** `epoch:seq` of what was left out of a frame on purpose. */
  readonly conflated = new Set<string>();
  /** The epochs that had events. */
  readonly #used = new Set<number>();

  append(count: number): void {
    this.head += count;
    if (this.head > 0) this.#used.add(this.epoch);
  }

  trim(keep: number): void {
    this.trimmedTo = Math.max(this.trimmedTo, this.head - keep);
  }

  /** It is numbered anew, from `head` on. */
  beginEpoch(head: number): void {
    this.epoch++;
    this.head = head;
    this.trimmedTo = head;
    this.append(0);
  }

  /** Whether what comes after `cursor` is what comes after the same number of `epoch`. */
  holds({ epoch, seq }: Cursor, inEpoch: number): boolean {
    const between = range(epoch - 1, inEpoch - 1);
    return epoch === inEpoch || (seq === 0 && !between.some((unused) => this.#used.has(unused)));
  }

  /** Whether a client that stands at `cursor` can be given all that it missed. */
  canResume(cursor: Cursor): boolean {
    const { seq } = cursor;
    return this.holds(cursor, this.epoch) && seq >= this.trimmedTo && seq <= this.head;
  }

  /** What of `(after, head]` a frame shows that has only each `step`th. */
  pending(after: number, step = 1): number[] {
    const all = range(after, this.head);
    const shown = all.filter((seq) => (this.head - seq) % step === 0);
    for (const seq of all) if (!shown.includes(seq)) this.conflated.add(`${this.epoch}:${seq}`);
    return shown;
  }
}

/** `(after, last]` */
export function range(after: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - after) }, (_, index) => after + 1 + index);
}
