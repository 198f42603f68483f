/** Everything that a life has: objects that come into being when they are called, clients, the truth. */
import type { Identification } from '../../../worker/auth/token.ts';
import type { CloseReason } from '../../../worker/protocol/codes.ts';
import type { RoomFrame } from '../../../worker/protocol/frames.ts';
import { parseObjectName } from '../../../worker/room/follow/branches.ts';
import type { RoomAnswer } from '../../../worker/room/intake/intake.ts';
import type { RoomBatch } from '../../../worker/room/intake/room-batch.ts';
import type { RoomPorts } from '../../../worker/room/ports.ts';
import { promise, Violation } from '../violation.ts';
import { Agenda } from './agenda.ts';
import type { Connection } from './connection.ts';
import { Coverage, type Met } from './coverage.ts';
import { Network, type Settlement } from './network.ts';
import { Random } from './random.ts';
import type { Token } from './rights.ts';
import { policyOf, type Settings } from './settings.ts';
import { SimulatedObject } from './simulated-object.ts';
import { Stream } from './stream.ts';
import { Truth } from './truth.ts';

/** How much of the trace is kept, in lines. */
const TRACE_LINES = 4_000;
/** A life in which so much happens between two operations never comes to rest. */
const MOST_EVENTS = 20_000;

/** A kind of lives. */
export interface Kind {
  readonly drawSettings: (random: Random) => Settings;
  readonly toBeMet: readonly Met[];
}

export interface WorldOptions {
  readonly traces?: boolean;
  /** Stands between every object and its storage: here a mistake may be planted. */
  readonly storage?: ((storage: RoomPorts['storage']) => RoomPorts['storage']) | undefined;
}

type CheckedToken = Exclude<Identification, { readonly kind: 'anonymous' }>;

export class World {
  readonly random: Random;
  readonly settings: Settings;
  readonly options: WorldOptions;
  readonly agenda = new Agenda();
  readonly coverage: Coverage;
  readonly network = new Network(this);
  readonly trace: string[] = [];
  readonly #objects = new Map<string, SimulatedObject>();
  readonly #truths = new Map<string, Truth>();
  readonly #frames = new Map<string, readonly RoomFrame[]>();
  /** Who sent a token that is being checked. */
  readonly #tokens = new Map<string, Connection>();
  readonly #toRead = new Set<Connection>();
  #violation: Violation | undefined;

  constructor(seed: number, { drawSettings, toBeMet }: Kind, options: WorldOptions) {
    this.random = new Random(seed);
    this.settings = drawSettings(this.random);
    this.coverage = new Coverage(toBeMet);
    this.options = options;
  }

  readonly now = (): number => this.agenda.now();

  get objects(): SimulatedObject[] {
    return [...this.#objects.values()];
  }

  object(name: string): SimulatedObject {
    const known = this.#objects.get(name);
    if (known !== undefined) return known;
    const id = parseObjectName(name);
    promise(id !== undefined, () => `no room has an object "${name}"`);
    const { regions } = this.settings;
    const region = id.branch?.region ?? regions[name.length % regions.length] ?? regions[0];
    const object = new SimulatedObject(this, name, id, region);
    this.#objects.set(name, object);
    return object;
  }

  truth(room: string): Truth {
    const known = this.#truths.get(room);
    if (known !== undefined) return known;
    const truth = new Truth(room, policyOf(room, this.settings));
    this.#truths.set(room, truth);
    return truth;
  }

  streamOf(room: string): Stream {
    return new Stream(this.truth(room), this.coverage);
  }

  /** Lets time pass, and everything happen that is due in it. */
  async elapse(ms: number): Promise<void> {
    const until = this.now() + ms;
    for (let count = 0; ; count++) {
      promise(count < MOST_EVENTS, () => `so much happens in ${ms} ms that it never ends`);
      const planned = this.agenda.next(until);
      if (planned === undefined) return;
      const done = planned.act();
      if (done !== undefined) await done;
      this.throwViolation();
    }
  }

  /** Takes note of a violation that was found within the room, which would catch it. */
  violate(what: string): void {
    this.#violation ??= new Violation(what);
  }

  throwViolation(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  note(line: () => string): void {
    if (this.options.traces !== true) return;
    this.trace.push(`${this.now() - 1_700_000_000_000} ${line()}`);
    if (this.trace.length > 2 * TRACE_LINES) this.trace.splice(0, TRACE_LINES);
  }

  /** Whether the object is lost in the turn that is about to end. */
  breaksTurn(): boolean {
    return this.network.isFaulty && this.random.chance(0.001);
  }

  /** A root has answered for a batch. */
  taken(room: string, { records }: RoomBatch, answer: RoomAnswer): void {
    promise(answer.kind === 'taken', () => `${room} is busy`);
    const truth = this.truth(room);
    const others = new Set([...answer.duplicates, ...answer.rejected.map(({ index }) => index)]);
    for (const [index, event, key, expiresAt, priority] of records) {
      if (others.has(index)) continue;
      truth.append([index, event, key, expiresAt, priority], this.now());
    }
  }

  /** A message has left an object: a frame, or several from a relay. */
  deliver(connection: Connection, text: string): void {
    this.note(() => `${connection.client.name} ← ${text.replace(/x{4,}/g, 'xx').slice(0, 300)}`);
    connection.receive(this.#parse(text), text.length, this.now());
    if (connection.manners.reads) this.#toRead.add(connection);
  }

  /** Those who read at once do, and ack what is to be acked. */
  readAll(object: SimulatedObject): void {
    for (const connection of this.#toRead) {
      this.#toRead.delete(connection);
      this.read(object, connection);
    }
  }

  read(object: SimulatedObject, connection: Connection, count?: number): void {
    const acked = connection.read(count);
    if (acked === undefined || connection.isClosed || connection.isBroken) return;
    const isLeft = !connection.reads(acked.room);
    if (isLeft) this.coverage.add('acks by the frame of a room that was left');
    object.receive(connection, JSON.stringify({ type: 'ack', ...acked }));
  }

  /** The object has closed a socket, and the client answers that. */
  closed(object: SimulatedObject, connection: Connection, reason: CloseReason): void {
    const { client, manners, rights } = connection;
    this.note(() => `${client.name} is closed: ${reason}`);
    const hasEnded = connection.readsPrivate && rights.hasEnded(this.now());
    const isEnded = reason === 'token_expired' && hasEnded;
    const isSlow = reason === 'slow_consumer' && !manners.reads;
    promise(
      isEnded || isSlow || reason === 'shutdown',
      () => `${client.name} is closed for ${reason}`,
    );
    if (isEnded) this.coverage.add('tokens ended');
    this.lost(connection);
    this.agenda.plan(this.random.between(1, 100), () => object.disconnect(connection));
  }

  /** The client finds out that its socket is gone. */
  lost(connection: Connection): void {
    const { client } = connection;
    if (client.connection === connection) client.connection = undefined;
    this.#toRead.delete(connection);
    connection.isClosed = true;
  }

  /** A client sends a token. */
  sends(connection: Connection, token: Token): string {
    const text = JSON.stringify({ ...token, number: this.#tokens.size });
    this.#tokens.set(text, connection);
    return text;
  }

  checkToken(text: string, settle: (settlement: Settlement<CheckedToken>) => Promise<void>): void {
    this.agenda.plan(this.random.between(1, 3_000), () => {
      const { user, expiresAt, isGenuine, rooms }: Token = JSON.parse(text);
      if (this.#tokens.get(text)?.isClosed !== false) this.coverage.add('tokens checked too late');
      if (!isGenuine) return settle({ answer: { kind: 'refused', code: 'token_invalid' } });
      const isOver = expiresAt <= this.now();
      if (isOver) return settle({ answer: { kind: 'refused', code: 'token_expired' } });
      return settle({
        answer: { kind: 'user', user, expiresAt, rooms, ignoresGrants: false },
      });
    });
  }

  /** Frames that are shared are parsed once. */
  #parse(text: string): readonly RoomFrame[] {
    const known = this.#frames.get(text);
    if (known !== undefined) return known;
    if (this.#frames.size > 16) this.#frames.clear();
    const parsed: RoomFrame | RoomFrame[] = JSON.parse(text);
    const frames = Array.isArray(parsed) ? parsed : [parsed];
    this.#frames.set(text, frames);
    return frames;
  }
}
