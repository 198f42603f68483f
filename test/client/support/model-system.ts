/**
 * `system` as it is heard over many sockets, each of which is served by a mirror of its own: mirrors
 * lag behind the log and behind its epoch, and what they send comes twice, overlaps or vanishes.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { events, type FakeSocket, gap, snapshot, subscribed, WELCOME } from './fake-gateway.ts';
import { range } from './model-room.ts';

const SYSTEM = 'system';

/** What the mirror of one socket holds, and where the socket stands in it. */
interface Line {
  readonly socket: FakeSocket;
  readonly inbox: string[];
  epoch: number;
  head: number;
  trimmedTo: number;
  cursor: number;
}

export class ModelSystem {
  epoch = 1;
  head = 0;
  trimmedTo = 0;
  /** `epoch:seq` of each state that was shown. */
  readonly shown = new Set<string>();
  #lines: Line[] = [];

  /** Accepts a socket of any room. */
  accept(socket: FakeSocket): void {
    const { epoch, head, trimmedTo } = this;
    const line: Line = { socket, inbox: [], epoch, head, trimmedTo, cursor: 0 };
    this.#lines.push(line);
    socket.onSent = (text) => line.inbox.push(text);
    const room = decodeURIComponent(socket.url.pathname.split('/').at(-1) ?? '');
    const name = room === SYSTEM ? 'since' : SYSTEM;
    const place = socket.url.searchParams.get(name);
    const [placeEpoch, seq] = (place ?? '').split(':').map(Number);
    if (room === SYSTEM) {
      socket.open();
      socket.say(WELCOME);
    } else {
      socket.join(room, 0);
    }
    this.#join(line, placeEpoch && seq !== undefined ? { epoch: placeEpoch, seq } : undefined);
  }

  append(count: number): void {
    this.head += count;
  }

  trim(keep: number): void {
    this.trimmedTo = Math.max(this.trimmedTo, this.head - keep);
  }

  beginEpoch(head: number): void {
    this.epoch++;
    this.head = head;
    this.trimmedTo = head;
  }

  /** The mirror of a socket hears of the newest. */
  follow(index: number): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined) return;
    const { epoch, head, trimmedTo } = this;
    const before = line.epoch;
    Object.assign(line, { epoch, head, trimmedTo });
    if (epoch !== before) this.#tellGap(line, line.cursor, 'epoch');
    else if (line.cursor < trimmedTo) this.#tellGap(line, line.cursor, 'trimmed');
  }

  /** Sends what is pending to a socket, or nowhere. */
  flush(index: number, isLost = false): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined || line.cursor >= line.head) return;
    if (!isLost) line.socket.say(events(SYSTEM, line.cursor, range(line.cursor, line.head)));
    line.cursor = line.head;
  }

  /** Sends again the last `count` of what was sent. */
  repeat(index: number, count: number): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined) return;
    const after = Math.max(line.trimmedTo, line.cursor - count);
    if (after < line.cursor) line.socket.say(events(SYSTEM, after, range(after, line.cursor)));
  }

  /** Obeys what the clients have said. */
  answer(): void {
    for (const line of this.#open) {
      for (const text of line.inbox.splice(0)) {
        if (text === 'ping') line.socket.say('pong');
        else this.#obey(line, JSON.parse(text));
      }
    }
  }

  cut(index: number): void {
    const { socket } = this.#open[index % this.#open.length] ?? {};
    socket?.breakOff();
  }

  /** All that is pending anywhere comes. */
  settle(): void {
    for (const index of this.#open.keys()) {
      this.follow(index);
      this.flush(index);
    }
  }

  get #open(): Line[] {
    this.#lines = this.#lines.filter(({ socket }) => !socket.isClosed);
    return this.#lines;
  }

  #obey(line: Line, { type, room, since, id }: Record<string, never>): void {
    if (type === 'subscribe' && room === SYSTEM) this.#join(line, since, id);
  }

  #join(line: Line, since: Cursor | undefined, id?: string): void {
    const { socket, epoch, head } = line;
    const isKnown = since?.epoch === epoch && since.seq >= line.trimmedTo;
    socket.say(subscribed(SYSTEM, head, isKnown, epoch, id));
    if (since === undefined) this.#tellState(line);
    // A mirror that lags takes a client at its cursor.
    else if (isKnown) line.cursor = since.seq;
    else this.#tellGap(line, since.seq, since.epoch === epoch ? 'trimmed' : 'epoch');
  }

  #tellGap(line: Line, from: number, reason: string): void {
    line.socket.say(gap(SYSTEM, from, line.head, reason, line.epoch));
    this.#tellState(line);
  }

  #tellState(line: Line): void {
    const { socket, epoch, head, trimmedTo } = line;
    line.cursor = head;
    this.shown.add(`${epoch}:${head}`);
    socket.say(snapshot(SYSTEM, head, range(trimmedTo, head), epoch));
  }
}
