/** A socket and the client at its other end, who reads when the life says so. */
import type { CloseReason } from '../../../worker/protocol/codes.ts';
import type { Cursor, RoomFrame } from '../../../worker/protocol/frames.ts';
import type { Socket } from '../../../worker/room/session/output.ts';
import { WINDOW_CHARACTERS } from '../../../worker/room/session/window.ts';
import { promise } from '../violation.ts';
import { FOLLOWED } from './settings.ts';
import type { Stream } from './stream.ts';

/** What a client has made of what it read, over all its connections. */
export class Client {
  readonly name: string;
  /** Where it stands in each room. */
  readonly cursors = new Map<string, Cursor>();
  connection: Connection | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

export interface Manners {
  /** Whether it acks what it read, after each half window. */
  readonly acks: boolean;
  /** Whether it reads at once what comes. */
  readonly reads: boolean;
}

interface Unread {
  readonly characters: number;
  readonly room: string;
  /** Where the client stands when it has read it. */
  readonly cursor: Cursor | undefined;
  /** What the client would ack. */
  readonly seq: number | undefined;
}

export interface ConnectionPorts {
  readonly client: Client;
  /** The room of the object that holds the socket. */
  readonly room: string;
  readonly manners: Manners;
  readonly tellsBuffered: boolean;
  readonly streamOf: (room: string) => Stream;
  /** Until when it may be sent the room, Unix ms. */
  readonly entitledUntil: number;
  readonly sent: (connection: Connection, frame: string) => void;
  readonly closed: (connection: Connection, reason: CloseReason) => void;
  readonly violate: (what: string) => void;
}

export class Connection implements Socket {
  declare readonly bufferedAmount?: number;
  readonly client: Client;
  readonly room: string;
  readonly streams: ReadonlyMap<string, Stream>;
  manners: Manners;
  attachment: unknown;
  entitledUntil: number;
  /** When the tokens end that it has sent and that hold, Unix ms. */
  readonly tokenEnds: number[] = [];
  /** The client is gone without a word, and sending fails. */
  isBroken = false;
  /** The room has closed it. */
  isClosed = false;
  readonly #ports: ConnectionPorts;
  readonly #unread: Unread[] = [];
  #unreadCharacters = 0;
  #unacked = 0;
  #hasAcked = false;

  constructor(ports: ConnectionPorts) {
    const { client, room, manners, entitledUntil, streamOf, tellsBuffered } = ports;
    this.#ports = ports;
    this.client = client;
    this.room = room;
    this.manners = manners;
    this.entitledUntil = entitledUntil;
    const rooms = room === FOLLOWED ? [FOLLOWED] : [room, FOLLOWED];
    this.streams = new Map(rooms.map((name) => [name, streamOf(name)]));
    if (!tellsBuffered) return;
    Object.defineProperty(this, 'bufferedAmount', { get: () => this.#unreadCharacters });
  }

  /** Whether its session reads the followed room. */
  get readsFollowed(): boolean {
    return this.streams.get(FOLLOWED)?.isOpen === true;
  }

  send(frame: string): void {
    if (this.isBroken) throw new TypeError('the socket is closed');
    if (this.isClosed) this.#ports.violate(`${this.client.name} was sent to after its close`);
    this.#ports.sent(this, frame);
  }

  close(_code: number, reason: string): void {
    this.isClosed = true;
    this.#ports.closed(this, reason as CloseReason);
  }

  serializeAttachment(attachment: unknown): void {
    this.attachment = attachment;
  }

  /** A frame has left the object: it is judged, and waits to be read. */
  receive(frame: RoomFrame, characters: number, now: number): void {
    if (this.isBroken) return;
    if (frame.type === 'welcome') this.#welcomed(frame.expiresAt, now);
    const room = 'room' in frame && frame.type !== 'error' ? frame.room : undefined;
    if (room === undefined || !('room' in frame) || frame.type === 'error') return;
    const stream = this.streams.get(room);
    promise(stream !== undefined, () => `${this.client.name} was sent ${room}`);
    const isEntitled = room === FOLLOWED || now < this.entitledUntil;
    promise(isEntitled, () => `${this.client.name} was sent ${room} after its token ended`);
    const cursor = stream.read(frame, now);
    const seq = frame.type === 'snapshot' ? frame.seq : cursor?.seq;
    this.#unread.push({ characters, room, cursor, seq });
    this.#unreadCharacters += characters;
  }

  /** The client reads. What it acks, when it is time to. */
  read(count = Number.POSITIVE_INFINITY): { room: string; seq: number } | undefined {
    let newest: { room: string; seq: number } | undefined;
    for (const { characters, room, cursor, seq } of this.#unread.splice(0, count)) {
      this.#unreadCharacters -= characters;
      this.#unacked += characters;
      if (cursor !== undefined) this.client.cursors.set(room, cursor);
      if (seq !== undefined) newest = { room, seq };
    }
    if (!this.manners.acks || newest === undefined) return undefined;
    if (this.#hasAcked && this.#unacked < WINDOW_CHARACTERS / 2) return undefined;
    this.#hasAcked = true;
    this.#unacked = 0;
    return newest;
  }

  get #isPrivate(): boolean {
    return this.entitledUntil !== Number.POSITIVE_INFINITY;
  }

  #welcomed(expiresAt: number | undefined, now: number): void {
    if (expiresAt === undefined || !this.#isPrivate || expiresAt === this.entitledUntil) return;
    const isKnown = this.tokenEnds.includes(expiresAt);
    promise(isKnown, () => `${this.client.name} is welcome until ${expiresAt}`);
    promise(
      now < this.entitledUntil,
      () => `${this.client.name} is welcomed after its token ended`,
    );
    this.entitledUntil = expiresAt;
  }
}
