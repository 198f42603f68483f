/** Several objects on one clock, and the calls between them, which a test may hold back or break. */
import { policyOf } from '../../worker/policy.ts';
import { nameOfRoom } from '../../worker/protocol/rooms.ts';
import { parseObjectName } from '../../worker/room/follow/branches.ts';
import type { FollowCall, Objects, PushCall } from '../../worker/room/follow/calls/objects.ts';
import type { Joiner } from '../../worker/room/ports.ts';
import { Room } from '../../worker/room/room.ts';
import { EVERY_SYMBOL, type Symbols } from '../../worker/symbols.ts';
import { Disk } from '../simulation/disk.ts';
import { FollowRowsInMemory, LONE_OBJECT } from '../support/lone-object.ts';
import { kafkaBatch } from '../support/room-batch.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FakeSocket, VERSION } from './room-in-memory.ts';

/** Within it, no alarm that is set goes off, in ms. */
const STEP = 1_000;

/** A call that was made, in the order in which they were. */
export type NotedCall = { readonly to: string } & (
  | { readonly kind: 'follow'; readonly call: FollowCall }
  | { readonly kind: 'push'; readonly call: PushCall }
);

/** Calls between objects, written rows of who follows whom, and alarms that were set. */
export interface Costs {
  readonly calls: number;
  readonly rows: number;
  readonly alarms: number;
}

/** One object: what of it outlives its memory, and the memory. */
class InMemoryObject {
  readonly disk = new Disk();
  readonly rows = new FollowRowsInMemory();
  readonly sockets: FakeSocket[] = [];
  alarmAt: number | undefined;
  room: Room | undefined;
  hasLeft = false;
}

export class ObjectsInMemory {
  readonly clock = new VirtualClock();
  readonly calls: NotedCall[] = [];
  /** What becomes of a call, instead of its being made at once. */
  meddle: (call: NotedCall, make: () => unknown) => Promise<unknown> = async (_call, make) =>
    make();
  /** The symbols that have rooms. */
  symbols: Pick<Symbols, 'hasRoom'> = EVERY_SYMBOL;
  readonly #width: number;
  readonly #objects = new Map<string, InMemoryObject>();
  #offset = 0;
  #alarmsSet = 0;

  constructor(width = 4) {
    this.#width = width;
  }

  /** The calls of a kind, as `from → to` would be too long: whom they were made to. */
  callsOf(kind: NotedCall['kind']): string[] {
    return this.calls.filter((call) => call.kind === kind).map(({ to }) => to);
  }

  /** How many alerts there were, if nothing else was appended. */
  get alerts(): number {
    return this.#offset;
  }

  rowsOf(name: string): string[] {
    return this.#object(name)
      .rows.read()
      .map(({ follower }) => follower);
  }

  /** The objects that have anything stored. */
  get stored(): string[] {
    return [...this.#objects]
      .filter(
        ([, { disk, rows, alarmAt }]) => disk.size > 0 || rows.size > 0 || alarmAt !== undefined,
      )
      .map(([name]) => name)
      .sort();
  }

  alarmOf(name: string): number | undefined {
    return this.#object(name).alarmAt;
  }

  get costs(): Costs {
    const rows = [...this.#objects.values()].reduce((sum, { rows }) => sum + rows.written, 0);
    return { calls: this.calls.length, rows, alarms: this.#alarmsSet };
  }

  costsSince(before: Costs): Costs {
    const { calls, rows, alarms } = this.costs;
    return {
      calls: calls - before.calls,
      rows: rows - before.rows,
      alarms: alarms - before.alarms,
    };
  }

  room(name: string): Room {
    const object = this.#object(name);
    object.room ??= this.#wake(name, object);
    return object.room;
  }

  join(name: string, joiner: Partial<Joiner> = {}): FakeSocket {
    const socket = new FakeSocket();
    const nobody = { user: undefined, tokenExpiresAt: undefined };
    const anew = { since: undefined, maxRate: undefined, system: undefined };
    this.room(name).connect(socket, { ...nobody, ...anew, ...joiner });
    this.#object(name).sockets.push(socket);
    return socket;
  }

  leave(name: string, socket: FakeSocket): void {
    this.room(name).disconnect(socket);
    const { sockets } = this.#object(name);
    sockets.splice(sockets.indexOf(socket), 1);
  }

  /** @param expiresAt Unix ms. */
  alert(expiresAt?: number): void {
    this.append('system', expiresAt === undefined ? {} : { expiresAt });
  }

  append(room: string, { expiresAt, size = 0 }: { expiresAt?: number; size?: number } = {}): void {
    const offset = this.#offset++;
    const position = { topic: 't', partition: 0, offset, timestamp: this.clock.now() };
    const key = room.startsWith('price') ? room : undefined;
    const event = `{"n":${offset + 1},"x":"${'x'.repeat(size)}"}`;
    const record = { index: 0, event, key, expiresAt, priority: 'high' as const, position };
    this.room(room).append(kafkaBatch('c', [record]));
  }

  /** Time passes, and alarms go off. */
  async elapse(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) await this.#step(Math.min(end, this.clock.now() + STEP));
  }

  /** Fires the alarms that are set now; those that are set meanwhile are due in a later step. */
  async #step(until: number): Promise<void> {
    for (;;) {
      const due = [...this.#objects].filter(([, { alarmAt = Infinity }]) => alarmAt <= until);
      const [next] = due.sort(([, a], [, b]) => (a.alarmAt ?? 0) - (b.alarmAt ?? 0));
      if (next === undefined) break;
      const [name, object] = next;
      await this.clock.elapse(Math.max(0, (object.alarmAt ?? 0) - this.clock.now()));
      object.alarmAt = undefined;
      this.room(name).alarm();
    }
    await this.clock.elapse(until - this.clock.now());
  }

  /** The object hibernates, with its sockets. */
  sleep(name: string): void {
    this.#object(name).room = undefined;
  }

  /** The object is lost, with its sockets and its timers; all other timers are kept. */
  crash(name: string): void {
    const object = this.#object(name);
    object.room = undefined;
    object.sockets.length = 0;
  }

  /** A call tells the object of a newer version of the Worker. */
  deploy(name: string): void {
    this.room(name).departure.learn(VERSION + 1, this.clock.now());
  }

  /** Whether the object has ever left, for newer code. */
  hasLeft(name: string): boolean {
    return this.#object(name).hasLeft;
  }

  #object(name: string): InMemoryObject {
    let object = this.#objects.get(name);
    if (object === undefined) {
      object = new InMemoryObject();
      this.#objects.set(name, object);
    }
    return object;
  }

  #wake(object: string, kept: InMemoryObject): Room {
    const parsed = parseObjectName(object);
    if (parsed === undefined) throw new Error(`no object is called ${object}`);
    const { room: name, branch } = parsed;
    const identity = { object, room: name && nameOfRoom(name), name, branch };
    const isAlive = () => this.#objects.get(object)?.room === room;
    const room: Room = new Room(identity, policyOf, {
      ...LONE_OBJECT,
      width: this.#width,
      symbols: this.symbols,
      objects: this.#network(),
      timers: {
        now: this.clock.now,
        setTimeout: (act, ms) => this.clock.setTimeout(() => isAlive() && act(), ms),
        clearTimeout: this.clock.clearTimeout,
      },
      storage: {
        chunks: kept.disk,
        followRows: kept.rows,
        setAlarm: (at) => {
          this.#alarmsSet++;
          kept.alarmAt = at;
        },
        clear: () => {
          kept.disk.clear();
          kept.rows.clear();
          kept.alarmAt = undefined;
        },
      },
      sockets: kept.sockets.map((socket) => ({ socket, attachment: socket.attachment ?? null })),
      lastPing: () => undefined,
      checkToken: async (token) => JSON.parse(token),
      maxSockets: { held: 100, open: 100 },
      abort: (error) => {
        throw error;
      },
      leave: () => {
        kept.hasLeft = true;
        this.crash(object);
      },
      version: VERSION,
      warn: () => {},
    });
    return room;
  }

  #network(): Objects {
    const make = async <Answer>(call: NotedCall, act: () => Answer): Promise<Answer> => {
      this.calls.push(call);
      return (await this.meddle(call, act)) as Answer;
    };
    return {
      follow: (to, call) => make({ kind: 'follow', to, call }, () => this.room(to).follow(call)),
      push: (to, call) => make({ kind: 'push', to, call }, () => this.room(to).push(call)),
    };
  }
}
