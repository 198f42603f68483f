/**
 * A room that does what the protocol says, and on demand what networks and crashes do to it: frames
 * that come twice, overlap or vanish, sockets that break, logs that are trimmed or numbered anew.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { events, type FakeSocket, gap, snapshot, subscribed, WELCOME } from './fake-gateway.ts';
import { ModelLog, range } from './model-log.ts';

export class ModelRoom {
  readonly name: string;
  readonly log = new ModelLog();
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

  /** Sends what is pending: all of it, or only each `step`th, or nowhere. */
  flush(step = 1, isLost = false): void {
    const seqs = this.log.pending(this.#cursor, step);
    if (seqs.length === 0) return;
    if (!isLost) this.#say(events(this.name, this.#cursor, seqs));
    this.#cursor = this.log.head;
  }

  /** Sends again what was sent, from `count` before the cursor on. */
  repeat(count: number): void {
    const after = Math.max(this.log.trimmedTo, this.#cursor - count);
    if (after < this.#cursor) this.#say(events(this.name, after, range(after, this.#cursor)));
  }

  /** The member is told that it has fallen off the tail. */
  fallOff(): void {
    if (this.log.head > this.#cursor) this.#tellGap(this.#cursor, 'trimmed');
  }

  /** The log is numbered anew, from `head` on; the member is told, or else cut off. */
  beginEpoch(head: number): void {
    const before = this.#cursor;
    this.log.beginEpoch(head);
    this.#tellGap(before, 'epoch');
  }

  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined && !socket.isClosed) socket.breakOff();
  }

  #join(since: Cursor | undefined, id?: string): void {
    const { name, log } = this;
    const { epoch, head } = log;
    const isRecovered = since !== undefined && log.canResume(since);
    this.#say(subscribed(name, head, isRecovered, epoch, id));
    if (isRecovered) {
      this.#cursor = since.seq;
      this.flush();
    } else if (since) this.#tellGap(since.seq, since.epoch === epoch ? 'trimmed' : 'epoch');
    else this.#tellSnapshot();
  }

  #tellGap(from: number, reason: string): void {
    this.#say(gap(this.name, from, this.log.head, reason, this.log.epoch));
    this.#tellSnapshot();
  }

  #tellSnapshot(): void {
    const { epoch, head } = this.log;
    this.#cursor = head;
    this.#say(snapshot(this.name, head, head > 0 ? [head] : [], epoch));
  }

  #say(frame: object | string): void {
    if (this.isHeard) this.#socket?.say(frame);
  }
}
