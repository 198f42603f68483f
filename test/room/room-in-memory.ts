/** The production `Room` on a clock that a test advances, a disk in memory, and sockets that note all. */
import { POLICIES, type Policy } from '../../worker/policy.ts';
import type { Priority } from '../../worker/protocol/events/events.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import type { Joiner } from '../../worker/room/ports.ts';
import { Room } from '../../worker/room/room.ts';
import { type Attachment, decodeAttachment } from '../../worker/room/session/attachment.ts';
import { MAX_BACKLOG_BYTES, type Socket } from '../../worker/room/session/output/output.ts';
import type { Session } from '../../worker/room/session/session.ts';
import { Disk } from '../simulation/disk.ts';
import { FollowRowsInMemory, LONE_OBJECT } from '../support/lone-object.ts';
import { kafkaBatch } from '../support/room-batch.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A durable room's epoch is the time of its first wake. */
export const EPOCH = new VirtualClock().now();
const NAME = 'r';
/** When the code that an object runs was made. */
export const VERSION = 1_000;

export class FakeSocket implements Socket {
  readonly texts: string[] = [];
  attachment: Attachment | null | undefined;
  attachmentsWritten = 0;
  closedFor: string | undefined;
  isBroken = false;
  bufferedAmount = 0;

  send(text: string): void {
    if (this.isBroken) throw new TypeError('closed');
    this.texts.push(text);
  }

  close(_code: number, reason: string): void {
    this.closedFor = reason;
  }

  serializeAttachment(attachment: string | null): void {
    this.attachmentsWritten++;
    this.attachment = decodeAttachment(attachment);
  }

  get frames(): RoomFrame[] {
    return this.texts.flatMap((text) => JSON.parse(text));
  }

  /** The numbers of each `events` frame. */
  get sent(): number[][] {
    return this.frames.flatMap((frame) =>
      frame.type === 'events' ? [frame.events.map(({ seq }) => seq)] : [],
    );
  }

  get types(): string[] {
    return this.frames.map(({ type }) => type);
  }
}

export interface Event {
  readonly priority?: Priority;
  readonly key?: string;
  readonly size?: number;
  readonly expiresAt?: number;
}

interface Asleep {
  readonly clock: VirtualClock;
  readonly disk: Disk;
  readonly sockets: readonly FakeSocket[];
  readonly offset: number;
}

export class RoomInMemory {
  readonly clock: VirtualClock;
  readonly room: Room;
  readonly pings = new Map<Socket, number>();
  /** Why the object ended itself. */
  aborted: unknown;
  /** Whether it has left, for newer code. */
  hasLeft = false;
  readonly #policy: Policy;
  readonly #disk: Disk;
  #offset: number;

  constructor(
    policy: Policy = POLICIES.trade,
    asleep?: Asleep,
    maxSockets = 10_000,
    random = LONE_OBJECT.random,
  ) {
    this.#policy = policy;
    this.clock = asleep?.clock ?? new VirtualClock();
    this.#disk = asleep?.disk ?? new Disk();
    this.#offset = asleep?.offset ?? 0;
    const name = { class: policy.access === 'user' ? 'user' : 'trade', id: 'u' } as const;
    const followRows = new FollowRowsInMemory();
    this.room = new Room(
      { object: NAME, room: NAME, name, branch: undefined },
      (room) => (room === NAME ? policy : POLICIES.system),
      {
        ...LONE_OBJECT,
        random,
        timers: this.clock,
        storage: { chunks: this.#disk, followRows, setAlarm: () => {}, clear: () => {} },
        sockets: (asleep?.sockets ?? []).map((socket) => ({
          socket,
          attachment: socket.attachment ?? null,
        })),
        lastPing: (socket) => this.pings.get(socket),
        checkToken: async (token) => JSON.parse(token),
        maxSockets: { held: maxSockets, open: maxSockets },
        abort: (error) => {
          this.aborted = error;
        },
        leave: () => {
          this.hasLeft = true;
        },
        version: VERSION,
        warn: () => {},
      },
    );
  }

  get now(): number {
    return this.clock.now();
  }

  /** How many rows of the log were written, ever. */
  get rowsWritten(): number {
    return this.#disk.turnWrites;
  }

  get losses(): Room['losses'] {
    return this.room.losses;
  }

  /** The peer of a socket stops reading when it has been sent as much as may wait. */
  stall(socket: FakeSocket): void {
    this.sessions.of(socket)?.output.send('x'.repeat(MAX_BACKLOG_BYTES));
    socket.texts.pop();
    socket.bufferedAmount = MAX_BACKLOG_BYTES;
  }

  get sessions(): Room['sessions'] {
    return this.room.sessions;
  }

  join(joiner: Partial<Joiner> = {}, socket = new FakeSocket()): FakeSocket {
    const nobody = { user: undefined, tokenExpiresAt: undefined, since: undefined };
    this.room.connect(socket, { ...nobody, maxRate: undefined, system: 'off', ...joiner });
    return socket;
  }

  /** The room after a sleep, with these sockets. */
  wake(...sockets: FakeSocket[]): RoomInMemory {
    const { clock } = this;
    return new RoomInMemory(this.#policy, {
      clock,
      disk: this.#disk,
      sockets,
      offset: this.#offset,
    });
  }

  /** The session of a socket that is held. */
  of(socket: Socket): Session {
    const session = this.sessions.of(socket);
    if (session === undefined) throw new Error('no session has this socket');
    return session;
  }

  /** A message comes over a socket. */
  say(socket: FakeSocket, message: object | string): Promise<void> | void {
    const text = typeof message === 'string' ? message : JSON.stringify({ room: NAME, ...message });
    return this.room.receive(socket, text);
  }

  ack(socket: FakeSocket, seq: number): void {
    void this.say(socket, { type: 'ack', seq });
  }

  subscribe(socket: FakeSocket, request: object = {}): void {
    void this.say(socket, { type: 'subscribe', ...request });
  }

  unsubscribe(socket: FakeSocket, id?: string): void {
    void this.say(socket, { type: 'unsubscribe', id });
  }

  /** A new token comes over a socket. */
  async auth(socket: FakeSocket, user: string, expiresAt: number): Promise<void> {
    const token = JSON.stringify({
      kind: 'user',
      user,
      expiresAt,
      rooms: [],
      ignoresGrants: false,
    });
    await this.say(socket, { type: 'auth', token });
  }

  /** From now on, nothing can be written. */
  breakDisk(): void {
    this.#disk.put = () => {
      throw new Error('the disk is broken');
    };
  }

  /** Appends event after event, each of which is flushed. */
  appendEach(...events: Event[]): void {
    for (const event of events) {
      this.append(event);
      // Longer than the pace of so few sockets, and shorter than any wait of a laggard.
      this.clock.advance(1);
    }
  }

  /** Appends events, all in one batch. */
  append(...events: Event[]): void {
    const records = events.map(({ key, size = 1, expiresAt, priority = 'high' }, index) => ({
      index,
      event: `{"p":"${'x'.repeat(size)}"}`,
      key,
      expiresAt,
      priority,
      position: { topic: 't', partition: 0, offset: this.#offset++, timestamp: this.now },
    }));
    this.room.append(kafkaBatch('c', records));
  }
}
