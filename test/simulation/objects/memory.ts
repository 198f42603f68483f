/** One lifetime of an object in memory: the production `Room`, and what it has of the platform meanwhile. */
import type { RoomPorts } from '../../../worker/room/ports.ts';
import { Room } from '../../../worker/room/room.ts';
import { decodeAttachment } from '../../../worker/room/session/attachment.ts';
import { EVERY_SYMBOL } from '../../../worker/symbols.ts';
import type { Planned } from './agenda.ts';
import { CallsInFlight, isLargeLog } from './calls-in-flight.ts';
import type { Answer, Say, Settlement } from './network.ts';
import { policyOf } from './settings.ts';
import type { SimulatedObject } from './simulated-object.ts';
import type { World } from './world.ts';

/** Whatever awaits a call, through a few functions, has gone on after so many. */
const MICROTASKS = 6;

/** What ended the lifetime before. */
export type Ending = 'sleep' | 'crash' | 'departure' | undefined;

export class Memory {
  readonly room: Room;
  readonly wokeAfter: Ending;
  /** The turn in which it woke. */
  readonly wokeIn: number;
  readonly #object: SimulatedObject;
  readonly #world: World;
  readonly #timers = new Set<Planned>();
  readonly #inFlight: CallsInFlight;
  /** What is awaited from outside: calls, and checks of tokens. */
  #awaited = 0;
  #isOver = false;
  /** Whether the turn is one in which a large log has arrived, so that another may leave. */
  #hasDelivered = false;

  constructor(object: SimulatedObject, world: World, wokeAfter: Ending, wokeIn: number) {
    this.#object = object;
    this.#world = world;
    this.wokeAfter = wokeAfter;
    this.wokeIn = wokeIn;
    this.#inFlight = new CallsInFlight(world.settings.largeLog);
    const { name, id } = object;
    this.room = new Room(
      { object: name, room: object.room, name: id.room, branch: id.branch },
      (room) => policyOf(room, world.settings),
      this.#ports(),
    );
  }

  /** Whether nothing keeps the object awake. */
  get isIdle(): boolean {
    return this.#timers.size === 0 && this.#awaited === 0;
  }

  get business(): string {
    return `has ${this.#timers.size} timers, and awaits ${this.#awaited}`;
  }

  /** Nothing that was begun in it goes on. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.isDropped = true;
  }

  #ports(): RoomPorts {
    const world = this.#world;
    const object = this.#object;
    const storage = {
      chunks: object.disk.chunks,
      followRows: object.disk.followRows,
      setAlarm: (at: number) => object.leave(() => object.setAlarm(at)),
      clear: () => {
        object.disk.clear();
        object.leave(() => object.dropAlarm());
      },
    };
    return {
      timers: {
        now: world.now,
        setTimeout: (callback, ms) => this.#setTimer(callback, ms),
        clearTimeout: (timer) => this.#clearTimer(timer as Planned | undefined),
      },
      storage: world.options.storage?.(storage) ?? storage,
      sockets: [...object.sockets].map((socket) => ({
        socket,
        attachment: decodeAttachment(socket.attachment),
      })),
      lastPing: () => undefined,
      checkToken: (token) => this.#await(0, (settle) => world.checkToken(token, settle)),
      maxSockets: { held: 100, open: 200 },
      abort: (error) => world.violate(`${object.name} aborts: ${stackOf(error)}`),
      leave: () => object.noteLeaving(),
      version: object.version,
      warn: () => {},
      symbols: EVERY_SYMBOL,
      random: () => world.random.below(1_000) / 1_000,
      objects: {
        follow: (to, call, signal) => this.#call(to, { kind: 'follow', call }, signal),
        push: (to, call, signal) => this.#call(to, { kind: 'push', call }, signal),
      },
      region: object.region,
      width: world.settings.width,
      largeLog: world.settings.largeLog,
    };
  }

  #call<Given extends Answer>(to: string, say: Say, signal: AbortSignal): Promise<Given> {
    const world = this.#world;
    const object = this.#object;
    const madeAt = world.now();
    const turn = object.turn ?? { kind: 'client', depth: 0, number: -1 };
    const broken = this.#inFlight.begin(to, say);
    if (broken !== undefined) world.violate(`${object.name} ${broken}`);
    const isLarge = isLargeLog(say, world.settings.largeLog);
    if (isLarge) world.coverage.add('large logs pushed');
    if (isLarge && this.#hasDelivered && this.#inFlight.areMostLarge) {
      world.coverage.add('large logs that waited for others');
    }
    return this.#await(turn.depth, (settle) => {
      const outgoing = {
        from: object,
        to,
        say,
        madeAt,
        depth: turn.depth + 1,
        cause: {
          kind: turn.kind,
          wokeAfter: this.wokeAfter,
          isFirst: this.wokeIn === turn.number,
        },
        settle: async (settlement: Settlement<Answer>) => {
          this.#inFlight.end(to, say);
          this.#hasDelivered = isLarge;
          await settle(settlement as Settlement<Given>);
          this.#hasDelivered = false;
        },
      };
      object.leave(() => world.network.send(outgoing));
      signal.addEventListener('abort', () => {
        this.#inFlight.end(to, say);
        world.network.giveUp(outgoing);
      });
    });
  }

  /** A promise that is settled from outside, and in the turn of which the object goes on. */
  #await<Given>(
    depth: number,
    begin: (settle: (settlement: Settlement<Given>) => Promise<void>) => void,
  ): Promise<Given> {
    return new Promise<Given>((resolve, reject) => {
      this.#awaited++;
      let isSettled = false;
      begin(async (settlement) => {
        if (this.#isOver || isSettled) return;
        isSettled = true;
        this.#awaited--;
        this.#object.begin('outcome', depth);
        if ('answer' in settlement) resolve(settlement.answer);
        else reject(settlement.error);
        for (let count = 0; count < MICROTASKS; count++) await undefined;
        this.#object.end();
      });
    });
  }

  #setTimer(callback: () => void, ms: number): Planned {
    const depth = this.#object.turn?.depth ?? 0;
    const timer = this.#world.agenda.plan(ms, () => {
      this.#timers.delete(timer);
      this.#object.inTurn('timer', depth, callback);
    });
    this.#timers.add(timer);
    return timer;
  }

  #clearTimer(timer: Planned | undefined): void {
    if (timer === undefined) return;
    timer.isDropped = true;
    this.#timers.delete(timer);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : String(error);
}
