/** A socket and the client at its other end, who reads when the life says so. */
import type { CloseReason, SocketErrorCode } from '../../../worker/protocol/codes.ts';
import type { Cursor, RoomFrame, SocketError } from '../../../worker/protocol/frames.ts';
import { isPrivate } from '../../../worker/room/session/admission/admission.ts';
import { MAX_ATTACHMENT_BYTES } from '../../../worker/room/session/attachment.ts';
import type { Socket } from '../../../worker/room/session/output/output.ts';
import { WINDOW_CHARACTERS } from '../../../worker/room/session/output/window.ts';
import { promise } from '../violation.ts';
import type { Coverage } from './coverage.ts';
import type { Rights, Token } from './rights.ts';
import type { Stream } from './stream.ts';

/** The platform keeps so much of a socket. */
const PLATFORM_BYTES = 16_384;

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

/** A message that was not read. */
interface Unread {
  readonly characters: number;
  readonly moves: readonly Move[];
}

interface Move {
  readonly room: string;
  /** Where the client stands when it has read it. */
  readonly cursor: Cursor | undefined;
  /** What the client would ack. */
  readonly seq: number | undefined;
}

export interface ConnectionPorts {
  readonly client: Client;
  /** The name of the object that holds the socket. */
  readonly object: string;
  /** The rooms that it may be sent; undefined at a relay, where they are what it asks for. */
  readonly rooms: readonly string[] | undefined;
  readonly manners: Manners;
  readonly tellsBuffered: boolean;
  readonly streamOf: (room: string) => Stream;
  readonly rights: Rights;
  readonly coverage: Coverage;
  readonly sent: (connection: Connection, message: string) => void;
  readonly closed: (connection: Connection, reason: CloseReason) => void;
  readonly violate: (what: string) => void;
}

export class Connection implements Socket {
  declare readonly bufferedAmount?: number;
  readonly client: Client;
  readonly object: string;
  readonly rights: Rights;
  readonly #streams: Map<string, Stream>;
  manners: Manners;
  attachment: unknown;
  /** The client is gone without a word, and sending fails. */
  isBroken = false;
  /** The room has closed it. */
  isClosed = false;
  readonly #ports: ConnectionPorts;
  /** When each message was said that has an id, by number. */
  readonly #orders = new Map<string, number>();
  #said = 0;
  #unread: Unread[] = [];
  #unreadCharacters = 0;
  #unacked = 0;
  #hasAcked = false;

  constructor(ports: ConnectionPorts) {
    const { client, object, rooms = [], manners, rights, streamOf, tellsBuffered } = ports;
    this.#ports = ports;
    this.client = client;
    this.object = object;
    this.manners = manners;
    this.rights = rights;
    this.#streams = new Map(rooms.map((name) => [name, streamOf(name)]));
    if (!tellsBuffered) return;
    Object.defineProperty(this, 'bufferedAmount', { get: () => this.#unreadCharacters });
  }

  get isAtRelay(): boolean {
    return this.#ports.rooms === undefined;
  }

  get streams(): ReadonlyMap<string, Stream> {
    return this.#streams;
  }

  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /** Whether its session reads a room, or waits to. */
  reads(room: string): boolean {
    return this.#streams.get(room)?.isOpen === true;
  }

  /** The rooms that it is sent. */
  get servedRooms(): string[] {
    return [...this.#streams].flatMap(([room, stream]) => (stream.isServed ? [room] : []));
  }

  /** Whether it is sent a room that takes a token, so that its socket ends with its token. */
  get isSentPrivate(): boolean {
    return isPrivate(this.object) || this.servedRooms.some(isPrivate);
  }

  /** The same, or it waits to be. */
  get readsPrivate(): boolean {
    const rooms = [...this.#streams.keys()].filter((room) => this.reads(room));
    return isPrivate(this.object) || rooms.some(isPrivate);
  }

  /** It says that it wants to be a member. */
  asks(room: string, id: string, since: Cursor | undefined, now: number): void {
    this.#streamOf(room).requests(id, since, now, this.#orderOf(id));
  }

  /** It says that it wants to be no member. */
  leaves(room: string, id: string): void {
    this.#streamOf(room).leaves(id, this.#orderOf(id));
  }

  authenticates(id: string, token: Token): void {
    this.rights.sends({ id, token, order: this.#orderOf(id) });
  }

  send(message: string): void {
    if (this.isBroken) throw new TypeError('the socket is closed');
    if (this.isClosed) this.#ports.violate(`${this.client.name} was sent to after its close`);
    this.#ports.sent(this, message);
  }

  close(_code: number, reason: string): void {
    this.isClosed = true;
    this.#ports.closed(this, reason as CloseReason);
  }

  serializeAttachment(attachment: unknown): void {
    this.attachment = attachment;
    if (typeof attachment !== 'string') return;
    const bytes = bytesOf(attachment);
    if (bytes > PLATFORM_BYTES) throw new Error('the attachment is too large');
    if (bytes > MAX_ATTACHMENT_BYTES) this.#ports.violate(`an attachment of ${bytes} bytes`);
  }

  /** A message has left the object: it is judged, and waits to be read. */
  receive(frames: readonly RoomFrame[], characters: number, now: number): void {
    if (this.isBroken) return;
    const moves = frames.flatMap((frame) => this.#judge(frame, now) ?? []);
    if (moves.length === 0) return;
    this.#unread.push({ characters, moves });
    this.#unreadCharacters += characters;
  }

  /** The client reads. What it acks, when it is time to. */
  read(count = Number.POSITIVE_INFINITY): { room: string; seq: number } | undefined {
    let newest: { room: string; seq: number } | undefined;
    for (const { characters, moves } of this.#unread.splice(0, count)) {
      this.#unreadCharacters -= characters;
      this.#unacked += characters;
      for (const { room, cursor, seq } of moves) {
        if (cursor !== undefined) this.client.cursors.set(room, cursor);
        if (seq !== undefined) newest = { room, seq };
      }
    }
    if (!this.manners.acks || newest === undefined) return undefined;
    if (this.#hasAcked && this.#unacked < WINDOW_CHARACTERS / 2) return undefined;
    this.#hasAcked = true;
    this.#unacked = 0;
    return newest;
  }

  /** What it was never told, though it has come to rest. */
  missing(now: number): string | undefined {
    if (!this.rights.isSettled) return 'a token was never answered';
    for (const stream of this.#streams.values()) {
      const missing = stream.missing(now);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  #judge(frame: RoomFrame, now: number): Move | undefined {
    if ('id' in frame && frame.id !== undefined) {
      this.rights.answered(this.#orders.get(String(frame.id)) ?? 0);
    }
    if (frame.type === 'welcome') this.#welcomed(frame.user, frame.expiresAt, now);
    if (frame.type === 'error') this.#refused(frame, now);
    if (!('room' in frame) || frame.type === 'error') return undefined;
    const { room } = frame;
    const { client } = this;
    const stream = this.#streams.get(room);
    promise(stream !== undefined, () => `${client.name} was sent ${room}`);
    if (frame.type === 'unsubscribed' && frame.id === undefined) {
      stream.ended(this.rights.takenOrder);
      this.#ports.coverage.add('rooms ended by a lesser token');
      return undefined;
    }
    const isEntitled = frame.type === 'unsubscribed' || this.rights.opens(room, now);
    promise(isEntitled, () => `${client.name} was sent ${room}, and may not be`);
    const cursor = stream.read(frame, now);
    return { room, cursor, seq: frame.type === 'snapshot' ? frame.seq : cursor?.seq };
  }

  #welcomed(user: string | undefined, expiresAt: number | undefined, now: number): void {
    const { rights } = this;
    const isLate = this.isSentPrivate && rights.hasEnded(now);
    promise(!isLate, () => `${this.client.name} is welcomed after its token ended`);
    if (rights.hasEnded(now)) this.#ports.coverage.add('went on without its token');
    const wasAnonymous = rights.user === undefined;
    rights.welcomed(user, expiresAt);
    const isUser = this.isAtRelay && wasAnonymous && rights.user !== undefined;
    if (isUser) this.#ports.coverage.add('anonymous to user');
  }

  #refused({ id, room, code }: SocketError, now: number): void {
    if (id !== undefined && this.rights.refused(String(id))) return;
    const stream = room === undefined ? undefined : this.#streams.get(room);
    promise(stream !== undefined, () => `${this.client.name} is refused ${room}: ${code}`);
    stream.refused(id === undefined ? undefined : String(id), code);
    this.#judgeRefusal(stream.truth.room, code, now);
    if (isCounted(code)) this.#ports.coverage.add(`refused: ${code}`);
  }

  #judgeRefusal(room: string, code: SocketErrorCode, now: number): void {
    const { rights, client } = this;
    const refused = `${client.name} is refused ${room}: ${code}`;
    if (code === 'token_missing' || code === 'room_forbidden' || code === 'token_expired') {
      promise(!rights.opens(room, now), () => refused);
    } else if (code === 'rooms_too_many') {
      const characters = [...this.#streams.keys()].reduce((sum, { length }) => sum + length, 0);
      promise(characters > MAX_ATTACHMENT_BYTES / 8, () => refused);
    }
  }

  #streamOf(room: string): Stream {
    const known = this.#streams.get(room);
    if (known !== undefined) return known;
    const stream = this.#ports.streamOf(room);
    if (this.isAtRelay) this.#streams.set(room, stream);
    return stream;
  }

  #orderOf(id: string): number {
    const order = this.#orders.get(id) ?? ++this.#said;
    this.#orders.set(id, order);
    return order;
  }
}

const COUNTED = [
  'room_invalid',
  'token_missing',
  'room_forbidden',
  'token_expired',
  'rooms_too_many',
  'room_unavailable',
] as const;

function isCounted(code: SocketErrorCode): code is (typeof COUNTED)[number] {
  return COUNTED.some((counted) => counted === code);
}

/** As the platform writes a text: with two bytes to a character if any of them needs it. */
function bytesOf(text: string): number {
  for (const character of text) if (character.charCodeAt(0) > 255) return 2 * text.length;
  return text.length;
}
