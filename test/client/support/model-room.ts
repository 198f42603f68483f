/**
 * A room that does what the protocol says, and on demand what networks and crashes do to it: frames
 * that come twice, overlap or vanish, sockets that break, logs that are trimmed or numbered anew.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { events, type FakeSocket, gap, snapshot, subscribed, WELCOME } from './fake-gateway.ts';

export class ModelRoom {
  readonly name: string;
  epoch = 1;
  head = 0;
  /** Nothing up to here is kept. */
  trimmedTo = 0;
  /** `epoch:seq` of what was left out of a frame on purpose. */
  readonly conflated = new Set<string>();
  /** The epochs that had events. */
  readonly #used = new Set<number>();
  #socket: FakeSocket | undefined;
  #cursor = 0;
  readonly #inbox: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  accept(socket: FakeSocket): void {
    this.#socket = socket;
    this.#inbox.length = 0;
    socket.onSent = (text) => this.#inbox.push(text);
    socket.open();
    socket.say(WELCOME);
    const [epoch, seq] = (socket.url.searchParams.get('since') ?? '').split(':').map(Number);
    this.#join(epoch && seq !== undefined ? { epoch, seq } : undefined);
  }

  get isHeard(): boolean {
    return this.#socket !== undefined && !this.#socket.isClosed;
  }

  /** Answers what the client has sent. */
  answer(): void {
    for (const text of this.#inbox.splice(0)) {
      if (text === 'ping') {
        this.#say('pong');
        continue;
      }
      const { type, id, since } = JSON.parse(text);
      if (type === 'subscribe') this.#join(since, id);
    }
  }

  append(count: number): void {
    this.head += count;
    if (this.head > 0) this.#used.add(this.epoch);
  }

  /** Whether what comes after `cursor` is what comes after the same number of `epoch`. */
  holds({ epoch, seq }: Cursor, inEpoch: number): boolean {
    const between = range(epoch - 1, inEpoch - 1);
    return epoch === inEpoch || (seq === 0 && !between.some((unused) => this.#used.has(unused)));
  }

  /** Sends what is pending: all of it, or only each `step`th, or nowhere. */
  flush(step = 1, isLost = false): void {
    const seqs = range(this.#cursor, this.head).filter((seq) => (this.head - seq) % step === 0);
    if (seqs.length === 0) return;
    for (const seq of range(this.#cursor, this.head)) {
      if (!seqs.includes(seq)) this.conflated.add(`${this.epoch}:${seq}`);
    }
    if (!isLost) this.#say(events(this.name, this.#cursor, seqs));
    this.#cursor = this.head;
  }

  /** Sends again what was sent, from `count` before the cursor on. */
  repeat(count: number): void {
    const after = Math.max(this.trimmedTo, this.#cursor - count);
    if (after < this.#cursor) this.#say(events(this.name, after, range(after, this.#cursor)));
  }

  trim(keep: number): void {
    this.trimmedTo = Math.max(this.trimmedTo, this.head - keep);
  }

  /** The member is told that it has fallen off the tail. */
  fallOff(): void {
    if (this.head > this.#cursor) this.#tellGap(this.#cursor, 'trimmed');
  }

  /** The log is numbered anew, from `head` on; the member is told, or else cut off. */
  beginEpoch(head: number): void {
    const before = this.#cursor;
    this.epoch++;
    this.head = head;
    this.trimmedTo = head;
    this.append(0);
    this.#tellGap(before, 'epoch');
  }

  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined && !socket.isClosed) socket.breakOff();
  }

  #join(since: Cursor | undefined, id?: string): void {
    const { name, epoch, head } = this;
    const seq = since?.seq ?? 0;
    if (since && this.holds(since, epoch) && seq >= this.trimmedTo && seq <= head) {
      this.#cursor = seq;
      this.#say(subscribed(name, head, true, epoch, id));
      this.flush();
      return;
    }
    this.#say(subscribed(name, head, false, epoch, id));
    if (since !== undefined) this.#tellGap(seq, since.epoch === epoch ? 'trimmed' : 'epoch');
    else this.#tellSnapshot();
  }

  #tellGap(from: number, reason: string): void {
    this.#say(gap(this.name, from, this.head, reason, this.epoch));
    this.#tellSnapshot();
  }

  #tellSnapshot(): void {
    this.#cursor = this.head;
    const seqs = this.head > 0 ? [this.head] : [];
    this.#say(snapshot(this.name, this.head, seqs, this.epoch));
  }

  #say(frame: object | string): void {
    if (this.isHeard) this.#socket?.say(frame);
  }
}

/** `(after, last]` */
export function range(after: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - after) }, (_, index) => after + 1 + index);
}
