/**
 * What one client of a relay knows: its rooms, where it stands in each, and the newest event of each
 * symbol. It is given every message of its sockets, and notes what no client should ever see.
 *
 * Every event that is published says in its `data`, as `n`, which event of its room and symbol it is.
 */
import type { Cursor, NumberedEvent, RoomFrame } from '../../../worker/protocol/frames.ts';

const SYSTEM = 'system';

type Framed<Type extends RoomFrame['type']> = Extract<RoomFrame, { readonly type: Type }>;

/** What all readers were shown under a number: one event, whoever sees it, and whenever. */
export class Numbering {
  readonly #events = new Map<string, string>();

  agrees(room: string, epoch: number, { seq, event }: NumberedEvent): boolean {
    const place = `${room} ${epoch}:${seq}`;
    const text = JSON.stringify(event);
    const known = this.#events.get(place);
    if (known === undefined) this.#events.set(place, text);
    return known === undefined || known === text;
  }
}

export class ReadRoom {
  readonly name: string;
  cursor: Cursor | undefined;
  /** Which event of each symbol is the newest that was shown. */
  readonly newest = new Map<string, number>();
  isMember = false;
  /** Whether it was left, and that is not answered yet. */
  isLeft = false;
  /** What has to come before any events. */
  awaits: 'gap' | 'snapshot' | undefined;
  /** Where the snapshot that follows a gap has to stand. */
  gapTo: number | undefined;
  epoch = 0;
  parts: NumberedEvent[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isDurable(): boolean {
    return /^(trade:|user:|system$)/.test(this.name);
  }
}

export class RelayReader {
  readonly rooms = new Map<string, ReadRoom>();
  readonly faults: string[] = [];
  home: string | undefined;
  /** What it has come across. */
  readonly seen = { events: 0, gaps: 0, recovered: 0, left: 0, refused: 0 };
  readonly #numbering: Numbering;
  readonly #ackAfter: number;
  readonly #say: (text: string) => void;
  #unacked = 0;
  /** The newest frame that can be named by an ack. */
  #newest: { readonly room: string; readonly seq: number } | undefined;

  /** `say` sends a message over the socket that there is now; acks follow so many characters. */
  constructor(options: { numbering: Numbering; ackAfter: number; say: (text: string) => void }) {
    this.#numbering = options.numbering;
    this.#ackAfter = options.ackAfter;
    this.#say = options.say;
    this.rooms.set(SYSTEM, new ReadRoom(SYSTEM));
  }

  /** What the address says of `system`. */
  get system(): string {
    const cursor = this.rooms.get(SYSTEM)?.cursor;
    return cursor === undefined ? '' : `system=${cursor.epoch}:${cursor.seq}`;
  }

  /** Over a new socket: asks for all its rooms by one list. */
  begin(): void {
    this.#unacked = 0;
    this.#newest = undefined;
    this.end();
    for (const { name, isLeft } of this.rooms.values()) if (isLeft) this.rooms.delete(name);
    const others = [...this.rooms.values()].filter(({ name }) => name !== SYSTEM);
    const rooms = others.map(({ name, cursor }) => ({ room: name, since: cursor }));
    this.#say(JSON.stringify({ type: 'subscribe', rooms }));
  }

  /** The socket is lost: it is no member of anything until it is again. */
  end(): void {
    for (const room of this.rooms.values()) room.isMember = false;
  }

  subscribe(name: string): void {
    const room = this.rooms.get(name) ?? new ReadRoom(name);
    this.rooms.set(name, room);
    this.#say(JSON.stringify({ type: 'subscribe', room: name, since: room.cursor }));
  }

  unsubscribe(name: string): void {
    const room = this.rooms.get(name);
    if (room !== undefined) room.isLeft = true;
    this.#say(JSON.stringify({ type: 'unsubscribe', rooms: [name] }));
  }

  take(message: string): void {
    if (!message.startsWith('[')) this.#fault(`no array: ${message.slice(0, 100)}`);
    for (const frame of JSON.parse(message) as RoomFrame[]) this.#takeFrame(frame);
    this.#unacked += message.length;
    this.#ack();
  }

  #takeFrame(frame: RoomFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.home = frame.home;
        return;
      case 'error':
        this.#refused(frame);
        return;
      case 'shutdown':
        return;
    }
    const room = this.rooms.get(frame.room);
    if (room === undefined) this.#fault(`of a room that was left: ${JSON.stringify(frame)}`);
    else this.#takeOf(room, frame);
  }

  #takeOf(
    room: ReadRoom,
    frame: Exclude<RoomFrame, Framed<'welcome' | 'error' | 'shutdown'>>,
  ): void {
    if (!room.isMember && frame.type !== 'subscribed' && frame.type !== 'unsubscribed') {
      this.#unexpected(room, frame);
      return;
    }
    switch (frame.type) {
      case 'subscribed':
        this.#join(room, frame);
        break;
      case 'unsubscribed':
        this.#leave(room, frame);
        break;
      case 'gap':
        this.#skip(room, frame);
        break;
      case 'snapshot':
        this.#show(room, frame);
        break;
      case 'events':
        this.#append(room, frame);
        break;
    }
  }

  #leave(room: ReadRoom, frame: RoomFrame): void {
    this.seen.left++;
    if (!room.isLeft) this.#unexpected(room, frame);
    this.rooms.delete(room.name);
    if (this.#newest?.room === room.name) this.#newest = undefined;
  }

  #join(room: ReadRoom, frame: Framed<'subscribed'>): void {
    const { cursor } = room;
    room.isMember = true;
    room.parts = [];
    room.gapTo = undefined;
    room.epoch = frame.epoch;
    if (frame.recovered) {
      this.seen.recovered++;
      room.awaits = undefined;
      if (cursor?.epoch !== frame.epoch) this.#unexpected(room, frame);
    } else {
      room.awaits = cursor === undefined ? 'snapshot' : 'gap';
    }
  }

  #skip(room: ReadRoom, frame: Framed<'gap'>): void {
    this.seen.gaps++;
    if (room.isDurable || frame.from !== room.cursor?.seq) this.#unexpected(room, frame);
    room.awaits = 'snapshot';
    room.parts = [];
    room.gapTo = frame.to;
    room.epoch = frame.epoch;
  }

  #show(room: ReadRoom, frame: Framed<'snapshot'>): void {
    const { seq, epoch } = frame;
    const isAtGap = room.gapTo === undefined || room.gapTo === seq;
    if (room.awaits !== 'snapshot' || epoch !== room.epoch || !isAtGap)
      this.#unexpected(room, frame);
    room.parts.push(...frame.events);
    this.#newest = { room: room.name, seq };
    if (frame.more) return;
    room.awaits = undefined;
    room.gapTo = undefined;
    room.newest.clear();
    room.cursor = { epoch, seq };
    for (const event of room.parts) this.#note(room, event);
    room.parts = [];
  }

  #append(room: ReadRoom, frame: Framed<'events'>): void {
    const { cursor } = room;
    if (cursor === undefined || room.awaits !== undefined || frame.after !== cursor.seq) {
      this.#unexpected(room, frame);
      return;
    }
    for (const event of frame.events) {
      const isNext = room.isDurable ? event.seq === cursor.seq + 1 : event.seq > cursor.seq;
      if (!isNext) this.#unexpected(room, frame);
      cursor.seq = event.seq;
      this.#note(room, event);
      this.seen.events++;
    }
    this.#newest = { room: room.name, seq: cursor.seq };
  }

  #note(room: ReadRoom, numbered: NumberedEvent): void {
    const { seq, event } = numbered;
    const { n } = event.data as { n: number };
    const symbol = typeof event.symbol === 'string' ? event.symbol : '';
    const isNewer = n > (room.newest.get(symbol) ?? 0);
    const isRight = !room.isDurable || n === seq;
    if (!isNewer || !isRight || !this.#numbering.agrees(room.name, room.epoch, numbered)) {
      this.#fault(`event ${n} as ${room.epoch}:${seq} of ${room.name}`);
    }
    room.newest.set(symbol, n);
  }

  /** Everything that has come so far has arrived. */
  #ack(): void {
    if (this.#unacked < this.#ackAfter || this.#newest === undefined) return;
    this.#unacked = 0;
    this.#say(JSON.stringify({ type: 'ack', ...this.#newest }));
  }

  #refused(frame: Framed<'error'>): void {
    if (frame.code !== 'room_unavailable') {
      this.#fault(JSON.stringify(frame));
      return;
    }
    this.seen.refused++;
    const room = this.rooms.get(frame.room ?? '');
    if (room !== undefined && !room.isLeft) this.subscribe(room.name);
  }

  #unexpected(room: ReadRoom, frame: RoomFrame): void {
    const { cursor, awaits, isMember } = room;
    const stand = `${cursor?.epoch}:${cursor?.seq}, awaits ${awaits}, member ${isMember}`;
    this.#fault(`at ${stand}: ${JSON.stringify(frame).slice(0, 200)}`);
  }

  #fault(what: string): void {
    this.faults.push(what);
  }
}
