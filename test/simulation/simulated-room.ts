/**
 * The production `Room` on a fake disk, clock and sockets. Each event of the platform's is a turn: its
 * writes and its frames take effect together, as behind the output gate, or, in a crash, not at all.
 * Between turns the object may go to sleep, or be lost.
 */
import type { Identification } from '../../worker/auth/token.ts';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import type { CloseReason } from '../../worker/protocol/codes.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import type { RoomBatch } from '../../worker/room/intake/room-batch.ts';
import { Room } from '../../worker/room/room.ts';
import type { Chunks } from '../../worker/room/store/chunks.ts';
import { FollowRowsInMemory, LONE_OBJECT } from '../support/lone-object.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Connection, type Manners, type View } from './connection.ts';
import { Disk } from './disk.ts';
import type { Expected } from './expectations.ts';
import { type Ending, Reference } from './reference.ts';
import type { Request } from './transcript.ts';
import { promise, Violation } from './violation.ts';

export const ROOM = 'room';
/** The user whose room it is, if it is private. */
export const USER = 'u';
/** What a memory room writes beside its latest entries: that it is dirty, and its state. */
const STATE_WRITES = 2;
const CHUNK_CHARACTERS = 256 * 1024;

/** A token as clients of the simulation have it. */
export interface Token {
  readonly user: string;
  readonly expiresAt: number;
  readonly isGenuine: boolean;
}

export interface Circumstances {
  readonly policy: Policy;
  /** Whether the runtime has `bufferedAmount`. */
  readonly tellsBuffered: boolean;
  /** Stands between the room and its disk: here a mistake may be planted. */
  readonly chunks?: ((chunks: Chunks) => Chunks) | undefined;
}

/** A token that is being checked. */
interface TokenCheck {
  readonly token: Token;
  readonly resolve: (identity: CheckedToken) => void;
}

type CheckedToken = Exclude<Identification, { readonly kind: 'anonymous' }>;

export class SimulatedRoom {
  readonly clock = new VirtualClock();
  readonly disk = new Disk();
  readonly reference: Reference;
  readonly trace: string[] = [];
  readonly #circumstances: Circumstances;
  readonly #sockets = new Set<Connection>();
  readonly #frames = new Map<string, RoomFrame>();
  #room: Room;
  #outbox: (() => void)[] = [];
  #checks: TokenCheck[] = [];
  /** Messages that the object has not obeyed yet. */
  /** What clients say after a token of theirs is checked. */
  readonly #postponed = new Map<Connection, (() => void)[]>();
  #obeying: {
    readonly connection: Connection;
    readonly id: string;
    readonly done: Promise<void>;
  }[] = [];
  #alarmAt: number | undefined;
  #writesSinceSaved = 0;
  /** The version of the code that an object is started with. */
  #version = 1;
  #hasLeft = false;

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances;
    this.#room = this.#wake();
    this.reference = new Reference(circumstances.policy, this.#told().epoch);
  }

  get connections(): readonly Connection[] {
    return [...this.#sockets];
  }

  get losses(): Room['losses'] {
    return this.#room.losses;
  }

  get isPrivate(): boolean {
    return this.#circumstances.policy.access !== 'anyone';
  }

  /** Whether nothing keeps the object awake. */
  get isIdle(): boolean {
    return this.clock.pending === 0 && this.#obeying.length === 0;
  }

  /** @param survives whether the object lives until the batch is answered. */
  append(batch: RoomBatch, survives = true): void {
    this.#note(`append ${describeBatch(batch)}${survives ? '' : ', and crash'}`);
    const act = () => {
      const answer = this.#room.append(batch);
      if (!survives) return;
      promise(answer.kind === 'taken', () => 'busy');
      const expected = this.reference.take(batch, this.clock.now()).join();
      const told = answer.duplicates.join();
      promise(told === expected, () => `duplicates are ${expected}, answered ${told}`);
      const { head } = this.#told();
      promise(
        head === this.reference.head,
        () => `the head is ${this.reference.head}, the log's ${head}`,
      );
      const writes = this.disk.turnWrites;
      promise(writes <= 1, () => `${writes} rows written by one append`);
    };
    if (survives) this.#turn(act);
    else this.#failingTurn(act);
  }

  /** @param lifetime of the client's token, in ms. */
  connect(view: View, manners: Manners, request: Request, lifetime: number): Connection {
    this.#note(`connect ${JSON.stringify(request)} ${JSON.stringify(manners)}`);
    const now = this.clock.now();
    const outside = {
      send: (to: Connection, text: string, waiting: number) => this.#send(to, text, waiting),
      close: (to: Connection, reason: CloseReason) => this.#close(to, reason),
    };
    const { tellsBuffered } = this.#circumstances;
    const connection = new Connection(outside, view, manners, request, { tellsBuffered, now });
    this.#sockets.add(connection);
    const identity = this.isPrivate
      ? { user: USER, tokenExpiresAt: now + lifetime }
      : { user: undefined, tokenExpiresAt: undefined };
    if (this.isPrivate) connection.expectations.entitledUntil = now + lifetime;
    this.#turn(() => this.#room.connect(connection, { ...identity, ...request, system: 'off' }));
    return connection;
  }

  subscribe(connection: Connection, request: Request, id: string): void {
    const message = { type: 'subscribe', id, room: ROOM, ...request };
    this.#say(connection, message, { id, type: 'subscribed' }, () =>
      connection.resubscribes(request),
    );
  }

  unsubscribe(connection: Connection, id: string): void {
    const message = { type: 'unsubscribe', id, room: ROOM };
    this.#say(connection, message, { id, type: 'unsubscribed' });
  }

  acknowledge(connection: Connection, seq: number): void {
    this.#say(connection, { type: 'ack', room: ROOM, seq }, undefined, () => {
      const { transcript } = connection;
      if (transcript.wasGiven && seq <= transcript.seq) connection.acks(seq);
    });
  }

  /** A message about a room that the socket is not of. */
  stray(connection: Connection, id: string): void {
    const message = { type: 'subscribe', id, room: 'another-room' };
    this.#say(connection, message, { id, type: 'error', code: 'room_elsewhere' });
  }

  /** Something that is no message. */
  garbage(connection: Connection, data: string | ArrayBuffer): void {
    if (this.#postpones(connection, () => this.garbage(connection, data))) return;
    this.#note(`garbage ${typeof data === 'string' ? data.slice(0, 40) : 'binary'}`);
    void this.#receive(connection, data, () => {
      const length = typeof data === 'string' ? data.length : data.byteLength;
      if (length > 8_192) connection.expectations.tooLong();
      else connection.expectations.invalid();
    });
  }

  /** A new token comes, and is being checked. */
  authenticate(connection: Connection, token: Token, id: string): void {
    if (this.#postpones(connection, () => this.authenticate(connection, token, id))) return;
    const text = JSON.stringify({ type: 'auth', id, token: JSON.stringify(token) });
    this.#note(`auth ${text}`);
    const done = this.#receive(connection, text);
    if (done !== undefined) this.#obeying.push({ connection, id, done });
  }

  /** The check of the token that came first ends. */
  async checkToken(): Promise<void> {
    const check = this.#checks.shift();
    const obeying = this.#obeying.shift();
    if (check === undefined || obeying === undefined) return;
    const { token, resolve } = check;
    const { connection, id, done } = obeying;
    const identity = judgeToken(token, this.clock.now());
    this.#note(`token ${id} is ${JSON.stringify(identity)}`);
    this.#begin();
    if (this.#isHeld(connection)) this.#expectAnswer(connection, token, identity, id);
    resolve(identity);
    await done;
    this.#end();
    const postponed = this.#postponed.get(connection) ?? [];
    this.#postponed.delete(connection);
    for (const say of postponed) say();
  }

  async checkTokens(): Promise<void> {
    while (this.#checks.length > 0) await this.checkToken();
  }

  /** Those who read at once do, and everyone acks what is to be acked. */
  read(connections: readonly Connection[] = this.connections, count?: number): void {
    for (const connection of connections) {
      if (!this.#sockets.has(connection)) continue;
      if (count === undefined && !connection.manners.reads) continue;
      const seq = connection.read(count);
      if (seq === undefined || connection.closedFor !== undefined) continue;
      this.acknowledge(connection, seq);
      // What the ack brought is there to be read at once.
      if (count === undefined && connection.unread > 0) this.read([connection]);
    }
  }

  /** The client goes, and says so. */
  disconnect(connection: Connection): void {
    this.#note('disconnect');
    this.#sockets.delete(connection);
    this.#turn(() => this.#room.disconnect(connection));
  }

  advance(ms: number): void {
    this.#note(`advance ${ms} ms`);
    this.clock.advance(ms, (act) => {
      this.#turn(act);
      this.read();
    });
    const at = this.#alarmAt;
    if (at === undefined || at > this.clock.now()) return;
    this.#note('alarm');
    this.#alarmAt = undefined;
    this.#turn(() => this.#room.alarm());
  }

  /** Hibernates and wakes, if nothing keeps the object awake. */
  sleep(): boolean {
    if (!this.isIdle) return false;
    const hadMembers = [...this.#sockets].some(({ attachment }) => attachment !== null);
    this.#note(`sleep, with ${this.#sockets.size} sockets`);
    for (const connection of this.#sockets) connection.wakes();
    this.#rebuild('sleep', hadMembers);
    return true;
  }

  crash(): void {
    this.#note('crash');
    this.#lose('crash');
  }

  /** Newer code is deployed, and the object leaves for it, unless it has only just started. */
  depart(): void {
    this.#note('depart');
    this.#version++;
    this.#begin();
    for (const { expectations } of this.#sockets) expectations.mayShutDown();
    this.#room.departure.learn(this.#version, this.clock.now());
    this.#room.alarm();
    if (!this.#hasLeft) {
      this.#end();
      return;
    }
    this.disk.commit();
    this.#deliver();
    for (const { closedFor, isBroken } of this.#sockets) {
      promise(isBroken || closedFor !== undefined, () => 'the object left a socket behind');
    }
    this.reference.noteSaved();
    this.#lose('departure');
  }

  #lose(kind: 'crash' | 'departure'): void {
    this.clock.forgetTimers();
    this.#sockets.clear();
    this.#checks = [];
    this.#obeying = [];
    this.#postponed.clear();
    this.#rebuild(kind, false);
  }

  #rebuild(kind: Ending, hadMembers: boolean): void {
    this.#begin();
    this.#hasLeft = false;
    this.#room = this.#wake();
    const { epoch, head } = this.#told();
    this.#writesSinceSaved = 0;
    this.reference.noteWake(kind, epoch, head, hadMembers);
    this.disk.commit();
    this.#deliver();
  }

  #wake(): Room {
    const { policy, chunks } = this.#circumstances;
    const name = { class: this.isPrivate ? 'user' : 'trade', id: USER } as const;
    const identity = { object: ROOM, room: ROOM, name, branch: undefined };
    return new Room(identity, (room) => (room === ROOM ? policy : POLICIES.system), {
      ...LONE_OBJECT,
      // It leaves as soon as it has a turn.
      random: () => 0,
      version: this.#version,
      leave: () => {
        this.#hasLeft = true;
      },
      timers: this.clock,
      storage: {
        chunks: chunks?.(this.disk) ?? this.disk,
        followRows: new FollowRowsInMemory(),
        clear: () => {},
        setAlarm: (at) => {
          this.#alarmAt = at;
        },
      },
      sockets: [...this.#sockets].map((socket) => ({
        socket,
        attachment: structuredClone(socket.attachment) ?? null,
      })),
      lastPing: () => undefined,
      checkToken: (text) =>
        new Promise((resolve) => this.#checks.push({ token: JSON.parse(text), resolve })),
      maxSockets: { held: 100, open: 100 },
      abort: (error) => {
        throw error instanceof Violation ? error : new Violation(`the object aborted: ${error}`);
      },
      warn: () => {},
    });
  }

  /** The log's epoch and head, as a reader of its history is told. */
  #told(): { epoch: number; head: number } {
    return JSON.parse(this.#room.history(undefined, 1));
  }

  #expectAnswer(
    { expectations }: Connection,
    token: Token,
    identity: CheckedToken,
    id: string,
  ): void {
    // Whoever is not entitled any more is let go before the new token is looked at.
    if (this.isPrivate && expectations.entitledUntil <= this.clock.now()) return;
    if (identity.kind === 'refused') {
      expectations.owe({ id, type: 'error', code: identity.code });
    } else if (token.user !== (this.isPrivate ? USER : (expectations.user ?? token.user))) {
      expectations.owe({ id, type: 'error', code: 'room_forbidden' });
    } else {
      expectations.renewed(token.user, token.expiresAt);
      if (this.isPrivate) expectations.entitledUntil = token.expiresAt;
    }
  }

  /** A well-formed message comes over a socket. */
  #say(
    connection: Connection,
    message: object,
    expected: Expected | undefined,
    obeyed: () => void = () => {},
  ): void {
    if (this.#postpones(connection, () => this.#say(connection, message, expected, obeyed))) return;
    const text = JSON.stringify(message);
    this.#note(text);
    const before = connection.unread;
    void this.#receive(connection, text, () => {
      if (expected !== undefined) connection.expectations.owe(expected);
      obeyed();
    });
    const { unread, expectations } = connection;
    if (expected?.type === 'subscribed') expectations.answered(unread - before);
  }

  /** A client waits for the answer to its token; those of the simulation of many objects do not. */
  #postpones(connection: Connection, say: () => void): boolean {
    if (!this.#obeying.some((obeying) => obeying.connection === connection)) return false;
    this.#postponed.set(connection, [...(this.#postponed.get(connection) ?? []), say]);
    return true;
  }

  /** @param read what to expect if the room reads the message. */
  #receive(
    connection: Connection,
    data: string | ArrayBuffer,
    read: () => void = () => {},
  ): Promise<void> | undefined {
    if (!this.#isHeld(connection)) return undefined;
    const { expectations } = connection;
    const now = this.clock.now();
    let done: Promise<void> | undefined;
    this.#turn(() => {
      const isEntitled = !this.isPrivate || expectations.entitledUntil > now;
      if (isEntitled && expectations.sends(now)) read();
      done = this.#room.receive(connection, data) ?? undefined;
    });
    return done;
  }

  /** A socket whose peer is gone is held, too, until somebody finds out. */
  #isHeld(connection: Connection): boolean {
    return this.#sockets.has(connection) && connection.closedFor === undefined;
  }

  #turn(act: () => void): void {
    this.#begin();
    act();
    this.#end();
  }

  #begin(): void {
    this.disk.begin();
  }

  #end(): void {
    const { connections } = this;
    this.disk.commit();
    this.#judgeWrites();
    this.#deliver();
    for (const connection of connections) connection.endTurn(this.reference);
  }

  #deliver(): void {
    for (const deliver of this.#outbox.splice(0)) deliver();
  }

  /** The object is lost in the turn: what it wrote, and what it sent, is nowhere. */
  #failingTurn(act: () => void): void {
    this.#begin();
    act();
    this.disk.rollBack();
    this.#outbox = [];
    this.crash();
  }

  #judgeWrites(): void {
    if (this.#circumstances.policy.log === 'durable' || this.disk.turnWrites === 0) return;
    this.#writesSinceSaved += this.disk.turnWrites;
    if (!this.disk.isClean) return;
    const chunks = Math.ceil(this.reference.latestCharacters / CHUNK_CHARACTERS);
    const most = STATE_WRITES + chunks;
    const writes = this.#writesSinceSaved;
    promise(writes <= most, () => `${writes} rows written in one active period`);
    this.#writesSinceSaved = 0;
    this.reference.noteSaved();
  }

  #send(connection: Connection, text: string, waiting: number): void {
    const now = this.clock.now();
    this.#outbox.push(() => {
      if (connection.isBroken) return;
      const frame = this.#parse(text);
      this.trace.push(`   → ${text.length > 160 ? `${text.slice(0, 160)}…` : text}`);
      const isOfTheRoom = frame.type !== 'welcome' && frame.type !== 'error';
      const isEntitled = !isOfTheRoom || connection.expectations.entitledUntil > now;
      promise(isEntitled, () => `${frame.type} was sent after the token had ended`);
      connection.receive(text, frame, { waiting, reference: this.reference, now });
    });
  }

  /** Frames that are shared are parsed once. */
  #parse(text: string): RoomFrame {
    const known = this.#frames.get(text);
    if (known !== undefined) return known;
    if (this.#frames.size > 8) this.#frames.clear();
    const frame: RoomFrame = JSON.parse(text);
    this.#frames.set(text, frame);
    return frame;
  }

  #close(connection: Connection, reason: CloseReason): void {
    const now = this.clock.now();
    this.#outbox.push(() => {
      this.#note(`closed: ${reason}`);
      connection.expectations.closes(reason, now);
      connection.closedFor = reason;
    });
  }

  #note(line: string): void {
    this.trace.push(`${this.clock.now() - 1_700_000_000_000} ${line}`);
  }
}

function judgeToken({ user, expiresAt, isGenuine }: Token, now: number): CheckedToken {
  if (!isGenuine) return { kind: 'refused', code: 'token_invalid' };
  if (expiresAt <= now) return { kind: 'refused', code: 'token_expired' };
  return { kind: 'user', user, expiresAt, rooms: [], ignoresGrants: false };
}

function describeBatch(batch: RoomBatch): string {
  const ids = batch.records.map(([, event, key, expiresAt, priority]) =>
    [/"id":"([^"]*)"/.exec(event)?.[1], key, priority, event.length, expiresAt ?? ''].join(' '),
  );
  return `${batch.kind} [${ids.join(', ')}]`;
}
