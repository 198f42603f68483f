/**
 * A relay that does what the protocol says: one socket, the rooms that it has subscribed to, answers in
 * any order, arrays of frames, and one window over all rooms.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import {
  events,
  type FakeSocket,
  gap,
  snapshot,
  subscribed,
  WELCOME,
  WINDOW,
} from './fake-gateway.ts';
import { ModelLog } from './model-log.ts';

/** It is so short that a few rooms take several messages. */
export const MESSAGE_LENGTH = 200;
const SYSTEM = 'system';

interface Wanted {
  readonly id?: string;
  readonly room: string;
  readonly since?: Cursor;
}

export class ModelRelay {
  readonly logs = new Map<string, ModelLog>();
  /** What was said that no relay takes. */
  readonly complaints: string[] = [];
  #socket: FakeSocket | undefined;
  readonly #inbox: string[] = [];
  /** Where the socket stands in each of its rooms. */
  readonly #cursors = new Map<string, number>();
  /** The rooms that the socket ever asked for. */
  readonly #asked = new Set<string>();
  /** What waits for its room to be fetched. */
  #waiting: Wanted[] = [];
  #frames: object[] = [];
  /** What is on its way, once the client acks. */
  #sent:
    | { readonly room: string; readonly upTo: number; readonly characters: number }[]
    | undefined;

  accept(socket: FakeSocket): void {
    this.#socket = socket;
    this.#inbox.length = 0;
    this.#cursors.clear();
    this.#asked.clear();
    this.#waiting = [];
    this.#frames = [];
    this.#sent = undefined;
    socket.onSent = (text) => this.#inbox.push(text);
    socket.open();
    socket.say([{ ...WELCOME, limits: { ...WELCOME.limits, messageLength: MESSAGE_LENGTH } }]);
    const [epoch, seq] = (socket.url.searchParams.get(SYSTEM) ?? '').split(':').map(Number);
    const since = epoch && seq !== undefined ? { since: { epoch, seq } } : {};
    this.#waiting.push({ room: SYSTEM, ...since });
  }

  get isHeard(): boolean {
    return this.#socket !== undefined && !this.#socket.isClosed;
  }

  /** The rooms that the socket is subscribed to, or will be. */
  get rooms(): string[] {
    const rooms = [...this.#cursors.keys(), ...this.#waiting.map(({ room }) => room)];
    return [...new Set(rooms)].filter((room) => room !== SYSTEM).sort();
  }

  logOf(room: string): ModelLog {
    const log = this.logs.get(room) ?? new ModelLog();
    this.logs.set(room, log);
    return log;
  }

  /** Obeys what the client has said, without fetching the rooms that it asks for. */
  obey(): void {
    if (!this.isHeard) return;
    for (const text of this.#inbox.splice(0)) {
      if (text === 'ping') this.#socket?.say('pong');
      else this.#obey(text);
    }
  }

  /** Answers one of the rooms that are waited for. */
  answer(which: number): void {
    const [wanted] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    if (wanted) this.#join(wanted);
    this.#send();
  }

  refuse(which: number): void {
    const [wanted] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    if (wanted?.id) {
      const { id, room } = wanted;
      this.#frames.push({ type: 'error', id, room, code: 'room_unavailable', message: 'later' });
    } else if (wanted) this.#waiting.push(wanted);
    this.#send();
  }

  answerAll(): void {
    while (this.#waiting.length > 0) this.answer(0);
  }

  /** Sends what is pending in all rooms, as far as the window is open. */
  flush(step = 1, isLost = false): void {
    for (const [room, cursor] of this.#cursors) {
      if (this.#isFull) break;
      const seqs = this.logOf(room).pending(cursor, step);
      if (seqs.length === 0) continue;
      this.#give(room, this.logOf(room).head, isLost ? undefined : events(room, cursor, seqs));
      // Who is served goes to the end of the line.
      this.#cursors.delete(room);
      this.#cursors.set(room, this.logOf(room).head);
    }
    this.#send();
  }

  beginEpoch(room: string, head: number): void {
    const cursor = this.#cursors.get(room);
    this.logOf(room).beginEpoch(head);
    if (cursor !== undefined) this.#tellGap(room, cursor, 'epoch');
    this.#send();
  }

  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined && !socket.isClosed) socket.breakOff();
  }

  get #isFull(): boolean {
    const characters = this.#sent?.reduce((sum, sent) => sum + sent.characters, 0) ?? 0;
    return characters >= WINDOW;
  }

  #obey(text: string): void {
    if (text.length > MESSAGE_LENGTH) this.complaints.push(`too long: ${text}`);
    const { type, id, room, rooms = [room], seq, ...rest } = JSON.parse(text);
    if (type === 'ack') this.#acknowledge(room, seq);
    else if (type === 'unsubscribe') {
      for (const name of rooms) this.#leave(name);
    } else if (type === 'subscribe') {
      for (const item of rooms) {
        const wanted = typeof item === 'string' ? { room, ...rest } : item;
        // The later request takes the place of the earlier one.
        this.#waiting = this.#waiting.filter((other) => other.room !== wanted.room);
        this.#waiting.push({ id, ...wanted });
        this.#asked.add(wanted.room);
      }
    }
  }

  #acknowledge(room: string, seq: number): void {
    const cursor = this.#cursors.get(room);
    if (cursor === undefined || seq > cursor) return;
    this.#sent ??= [];
    const last = this.#sent.findLastIndex((sent) => sent.room === room && sent.upTo <= seq);
    this.#sent.splice(0, last + 1);
  }

  #leave(room: string): void {
    if (!this.#asked.has(room)) this.complaints.push(`never asked for: ${room}`);
    this.#waiting = this.#waiting.filter((other) => other.room !== room);
    this.#forget(room);
    this.#frames.push({ type: 'unsubscribed', room });
    this.#send();
  }

  /** What was on its way of the room may never be acked. */
  #forget(room: string): void {
    this.#cursors.delete(room);
    this.#sent = this.#sent?.filter((sent) => sent.room !== room);
  }

  #join({ id, room, since }: Wanted): void {
    const log = this.logOf(room);
    const { epoch, head } = log;
    const isRecovered = since !== undefined && log.canResume(since);
    this.#forget(room);
    this.#cursors.set(room, isRecovered ? since.seq : head);
    this.#frames.push(subscribed(room, head, isRecovered, epoch, id));
    if (since && !isRecovered) {
      this.#tellGap(room, since.seq, since.epoch === epoch ? 'trimmed' : 'epoch');
    } else if (!since) this.#tellSnapshot(room);
  }

  #tellGap(room: string, from: number, reason: string): void {
    const { epoch, head } = this.logOf(room);
    this.#frames.push(gap(room, from, head, reason, epoch));
    this.#tellSnapshot(room);
  }

  #tellSnapshot(room: string): void {
    const { epoch, head } = this.logOf(room);
    this.#cursors.set(room, head);
    this.#give(room, head, snapshot(room, head, head > 0 ? [head] : [], epoch));
  }

  #give(room: string, upTo: number, frame: object | undefined): void {
    if (!frame) return;
    this.#sent?.push({ room, upTo, characters: JSON.stringify(frame).length });
    this.#frames.push(frame);
  }

  #send(): void {
    const frames = this.#frames.splice(0);
    if (this.isHeard && frames.length > 0) this.#socket?.say(frames);
  }
}
