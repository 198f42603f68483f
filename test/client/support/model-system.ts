/**
 * `system` as it is heard over many sockets, those of a room from the mirror in that room: mirrors
 * lag behind the log and behind its epoch, and what they send comes twice, overlaps or vanishes.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { events, type FakeSocket, gap, snapshot, subscribed, WELCOME } from './fake-gateway.ts';
import { range } from './model-log.ts';

const SYSTEM = 'system';

interface Mirror {
  epoch: number;
  head: number;
  trimmedTo: number;
}

/** A socket, what it has said, and where it stands in its mirror. */
interface Line {
  readonly socket: FakeSocket;
  readonly inbox: string[];
  readonly mirror: Mirror;
  cursor: number;
}

export class ModelSystem {
  epoch = 1;
  head = 0;
  /** Nothing up to here is kept, by epoch. */
  readonly #trimmedTo = new Map<number, number>();
  /** `epoch:seq` of each state that was shown. */
  readonly shown = new Set<string>();
  readonly #mirrors = new Map<string, Mirror>();
  #lines: Line[] = [];

  /** Accepts a socket of any room. */
  accept(socket: FakeSocket): void {
    const room = decodeURIComponent(socket.url.pathname.split('/').at(-1) ?? '');
    const { epoch, head, trimmedTo } = this;
    const mirror = this.#mirrors.get(room) ?? { epoch, head, trimmedTo };
    this.#mirrors.set(room, mirror);
    const line: Line = { socket, inbox: [], mirror, cursor: 0 };
    this.#lines.push(line);
    socket.onSent = (text) => line.inbox.push(text);
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

  get trimmedTo(): number {
    return this.trimmedIn(this.epoch);
  }

  trimmedIn(epoch: number): number {
    return this.#trimmedTo.get(epoch) ?? 0;
  }

  append(count: number): void {
    this.head += count;
  }

  trim(keep: number): void {
    this.#trimmedTo.set(this.epoch, Math.max(this.trimmedTo, this.head - keep));
  }

  beginEpoch(head: number): void {
    this.epoch++;
    this.head = head;
    this.#trimmedTo.set(this.epoch, head);
  }

  /** The mirror of a socket hears of the newest. */
  follow(index: number): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined) return;
    const { epoch, head, trimmedTo } = this;
    const before = line.mirror.epoch;
    Object.assign(line.mirror, { epoch, head, trimmedTo });
    if (epoch !== before) this.#tellGap(line, line.cursor, 'epoch');
    else if (line.cursor < trimmedTo) this.#tellGap(line, line.cursor, 'trimmed');
  }

  /** Sends what is pending to a socket, or nowhere. */
  flush(index: number, isLost = false): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined || line.cursor >= line.mirror.head) return;
    if (!isLost) line.socket.say(events(SYSTEM, line.cursor, range(line.cursor, line.mirror.head)));
    line.cursor = line.mirror.head;
  }

  /** Sends again the last `count` of what was sent. */
  repeat(index: number, count: number): void {
    const line = this.#open[index % this.#open.length];
    if (line === undefined) return;
    const after = Math.max(line.mirror.trimmedTo, line.cursor - count);
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
    const { socket, mirror } = line;
    const { epoch, head, trimmedTo } = mirror;
    const isKnown = since?.epoch === epoch && since.seq >= trimmedTo;
    socket.say(subscribed(SYSTEM, head, isKnown, epoch, id));
    if (since === undefined) this.#tellState(line);
    // A mirror that lags takes a client at its cursor.
    else if (isKnown) line.cursor = since.seq;
    else this.#tellGap(line, since.seq, since.epoch === epoch ? 'trimmed' : 'epoch');
  }

  #tellGap(line: Line, from: number, reason: string): void {
    line.socket.say(gap(SYSTEM, from, line.mirror.head, reason, line.mirror.epoch));
    this.#tellState(line);
  }

  #tellState(line: Line): void {
    const { socket, mirror } = line;
    const { epoch, head, trimmedTo } = mirror;
    line.cursor = head;
    this.shown.add(`${epoch}:${head}`);
    socket.say(snapshot(SYSTEM, head, range(trimmedTo, head), epoch));
  }
}
