/**
 * A room as the Durable Object wires it, on a fake disk, clock and sockets. Each event of the
 * platform's is a turn: its writes and its frames take effect together, as behind the output gate,
 * or, in a crash, not at all. Between turns the object may go to sleep, or be lost.
 */
import type { Policy } from '../../worker/policy.ts';
import type { CloseReason } from '../../worker/protocol/codes.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { Flusher } from '../../worker/room/delivery/flusher.ts';
import { Intake, type RoomBatch } from '../../worker/room/intake/intake.ts';
import type { Positions } from '../../worker/room/intake/positions.ts';
import type { Log } from '../../worker/room/log/log.ts';
import { Audience } from '../../worker/room/session/audience.ts';
import type { Chunks } from '../../worker/room/store/chunks.ts';
import { DurableStore } from '../../worker/room/store/durable-store.ts';
import type { LogStore } from '../../worker/room/store/log-store.ts';
import { MemoryStore } from '../../worker/room/store/memory-store.ts';
import { Clock } from './clock.ts';
import { Connection, type Manners, type View } from './connection.ts';
import { Disk } from './disk.ts';
import { Reference } from './reference.ts';
import type { Request } from './transcript.ts';
import { promise } from './violation.ts';

const ROOM = 'room';
/** What a memory room writes beside its latest entries: that it is dirty, and its state. */
const STATE_WRITES = 2;
const CHUNK_CHARACTERS = 256 * 1024;

/** Stands between the parts of a room: here mistakes are planted. */
export interface Seams {
  readonly chunks?: (chunks: Chunks) => Chunks;
  readonly intakeLog?: (log: Log) => Log;
  readonly positions?: (positions: Positions) => Positions;
  readonly joinersLog?: (log: Log) => Log;
  readonly servedLog?: (log: Log) => Log;
  readonly flusher?: (flusher: Flusher, log: Log) => Flusher;
}

interface Parts {
  readonly store: LogStore;
  readonly intake: Intake;
  readonly flusher: Flusher;
  readonly audience: Audience;
}

export class SimulatedRoom {
  readonly clock = new Clock();
  readonly disk = new Disk();
  readonly reference: Reference;
  readonly trace: string[] = [];
  readonly #policy: Policy;
  readonly #tellsBuffered: boolean;
  readonly #seams: Seams;
  readonly #sockets = new Set<Connection>();
  readonly #frames = new Map<string, RoomFrame>();
  #parts: Parts;
  #outbox: (() => void)[] = [];
  #alarmAt: number | undefined;
  #writesSinceSaved = 0;

  constructor(policy: Policy, tellsBuffered: boolean, seams: Seams = {}) {
    this.#policy = policy;
    this.#tellsBuffered = tellsBuffered;
    this.#seams = seams;
    this.#parts = this.#wake();
    this.reference = new Reference(policy, this.log.epoch);
  }

  get log(): Log {
    return this.#parts.store.state.log;
  }

  get connections(): readonly Connection[] {
    return [...this.#sockets];
  }

  get losses(): Flusher['losses'] {
    return this.#parts.flusher.losses;
  }

  /** Whether nothing keeps the object awake. */
  get isIdle(): boolean {
    return this.clock.pending === 0;
  }

  /** @param survives whether the object lives until the batch is answered. */
  append(batch: RoomBatch, survives = true): void {
    this.#note(`append ${describeBatch(batch)}${survives ? '' : ', and crash'}`);
    const act = () => {
      const now = this.clock.now();
      const { store, intake, flusher } = this.#parts;
      const { answer, entries, priorities, changed } = intake.take(batch, now);
      if (changed) store.appended(now);
      if (entries.length > 0) flusher.appended(entries, priorities, now);
      if (!survives) return;
      promise(answer.kind === 'taken', () => 'busy');
      const expected = this.reference.take(batch, now).join();
      const told = answer.duplicates.join();
      promise(told === expected, () => `duplicates are ${expected}, answered ${told}`);
      const { head } = this.reference;
      promise(this.log.head === head, () => `the head is ${head}, the log's ${this.log.head}`);
      const writes = this.disk.turnWrites;
      promise(writes <= 1, () => `${writes} rows written by one append`);
    };
    if (survives) this.#turn(act);
    else this.#failingTurn(act);
  }

  connect(view: View, manners: Manners, request: Request): Connection {
    this.#note(`connect ${JSON.stringify(request)} ${JSON.stringify(manners)}`);
    const outside = {
      send: (to: Connection, text: string, waiting: number) => this.#send(to, text, waiting),
      close: (to: Connection, reason: CloseReason) => this.#close(to, reason),
    };
    const connection = new Connection(outside, view, manners, request, this.#tellsBuffered);
    this.#sockets.add(connection);
    this.#turn(() => {
      const joiner = { user: undefined, tokenExpiresAt: undefined, ...request };
      this.#parts.audience.join(connection, joiner, this.clock.now());
    });
    return connection;
  }

  subscribe(connection: Connection, request: Request): void {
    this.#note(`subscribe ${JSON.stringify(request)}`);
    this.#fromMember(connection, (member) => {
      connection.resubscribes(request);
      this.#parts.audience.subscribe(member, { id: 's', ...request }, this.clock.now());
    });
  }

  unsubscribe(connection: Connection): void {
    this.#note('unsubscribe');
    this.#fromMember(connection, (member) => this.#parts.audience.unsubscribe(member, 'u'));
  }

  acknowledge(connection: Connection, seq: number): void {
    this.#note(`ack ${seq}`);
    this.#fromMember(connection, (member) => {
      const { transcript } = connection;
      if (transcript.isMember && seq <= transcript.seq) connection.acks(seq);
      this.#parts.flusher.acknowledge(member, seq, this.clock.now());
    });
  }

  renew(connection: Connection): void {
    this.#note('renew');
    this.#fromMember(connection, (member) => {
      const expiresAt = this.clock.now() + 3_600_000;
      this.#parts.audience.renew(member, { user: 'u', expiresAt });
    });
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
    this.#turn(() => this.#parts.audience.leave(connection));
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
    this.#turn(() => this.#parts.store.sweep(this.clock.now()));
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
    this.clock.forgetTimers();
    this.#sockets.clear();
    this.#rebuild('crash', false);
  }

  #rebuild(kind: 'sleep' | 'crash', hadMembers: boolean): void {
    this.disk.begin();
    this.#parts = this.#wake();
    this.disk.commit();
    this.#writesSinceSaved = 0;
    this.reference.noteWake(kind, this.log.epoch, this.log.head, hadMembers);
  }

  #wake(): Parts {
    const { clock } = this;
    const now = clock.now();
    const seams = this.#seams;
    const chunks = seams.chunks?.(this.disk) ?? this.disk;
    const restored = [...this.#sockets].map((socket) => ({
      socket,
      attachment: structuredClone(socket.attachment) ?? null,
    }));
    const memberEpoch = restored.find(({ attachment }) => attachment !== null)?.attachment?.epoch;
    const setAlarm = (at: number) => {
      this.#alarmAt = at;
    };
    const store =
      this.#policy.log === 'durable'
        ? new DurableStore(this.#policy, chunks, setAlarm, memberEpoch, now)
        : new MemoryStore(this.#policy, chunks, memberEpoch, clock);
    const { log, positions, webhookIds } = store.state;
    const flusher = new Flusher({
      room: ROOM,
      log: seams.servedLog?.(log) ?? log,
      policy: this.#policy,
      timers: clock,
      lost: ({ socket }) => audience.leave(socket),
      tooSlow: (member) => audience.dismiss(member, 'slow_consumer'),
      beforeFlush: (at) => audience.sweep(at),
    });
    const audience: Audience = new Audience({
      room: ROOM,
      log: seams.joinersLog?.(log) ?? log,
      isPrivate: false,
      flusher: seams.flusher?.(flusher, log) ?? flusher,
      lastPing: () => undefined,
    });
    for (const { socket, attachment } of restored) audience.restore(socket, attachment, now);
    const intake = new Intake(
      seams.intakeLog?.(log) ?? log,
      seams.positions?.(positions) ?? positions,
      webhookIds,
    );
    return { store, intake, flusher, audience };
  }

  #fromMember(
    connection: Connection,
    act: (member: NonNullable<ReturnType<Audience['memberOf']>>) => void,
  ): void {
    if (!this.#sockets.has(connection) || connection.isBroken) return;
    const member = this.#parts.audience.memberOf(connection);
    if (member !== undefined) this.#turn(() => act(member));
  }

  #turn(act: () => void): void {
    const { connections } = this;
    this.disk.begin();
    act();
    this.disk.commit();
    this.#judgeWrites();
    for (const deliver of this.#outbox.splice(0)) deliver();
    for (const connection of connections) connection.endTurn(this.reference);
  }

  /** The object is lost in the turn: what it wrote, and what it sent, is nowhere. */
  #failingTurn(act: () => void): void {
    this.disk.begin();
    act();
    this.disk.rollBack();
    this.#outbox = [];
    this.crash();
  }

  #judgeWrites(): void {
    if (this.#policy.log === 'durable' || this.disk.turnWrites === 0) return;
    this.#writesSinceSaved += this.disk.turnWrites;
    if (!this.disk.isClean) return;
    const characters = this.log.latest.reduce((sum, { text }) => sum + text.length, 0);
    const chunks = Math.ceil(characters / CHUNK_CHARACTERS);
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
    this.#outbox.push(() => {
      this.#note(`closed: ${reason}`);
      connection.closedFor = reason;
    });
  }

  #note(line: string): void {
    this.trace.push(`${this.clock.now() - 1_700_000_000_000} ${line}`);
  }
}

function describeBatch(batch: RoomBatch): string {
  const ids = batch.records.map(({ event, key, priority, expiresAt }) =>
    [/"id":"([^"]*)"/.exec(event)?.[1], key, priority, event.length, expiresAt ?? ''].join(' '),
  );
  return `${batch.kind} [${ids.join(', ')}]`;
}
