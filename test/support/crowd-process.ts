/** The process of a crowd, see crowd.ts: as many sockets in one room as it is asked for. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { answer } from './asked-process.ts';
import type { CrowdJoin, CrowdReport } from './crowd.ts';
import { RawWebSocket } from './raw-websocket.ts';
import { clock, type Uniform, UniformEvents } from './uniform-events.ts';

/** Upgrades under way at a time. */
const CONCURRENT_UPGRADES = 64;
/** How many faults are reported in words; all are counted. */
const MOST_REPORTED_FAULTS = 5;
const LAG_RESOLUTION_MS = 5;

interface Member {
  cursor: number;
}

let crowd: Crowd | undefined;

const handlers = {
  join(join: CrowdJoin): Promise<number> {
    crowd?.leave();
    crowd = new Crowd(join.uniform, join.overRelay === true);
    return crowd.join(join.url, join.sockets, join.samples);
  },
  begin(): void {
    joined().begin();
  },
  reach(seq: number, deadlineMs: number): Promise<CrowdReport> {
    return joined().reach(seq, deadlineMs);
  },
  leave(): void {
    crowd?.leave();
    crowd = undefined;
  },
};
export type CrowdHandlers = typeof handlers;

answer(handlers);

function joined(): Crowd {
  if (crowd === undefined) throw new Error('nobody has joined');
  return crowd;
}

class Crowd {
  readonly #events: UniformEvents;
  readonly #overRelay: boolean;
  readonly #sockets: RawWebSocket[] = [];
  readonly #members = new Set<Member>();
  #delivered = 0;
  #frames = 0;
  #conflated = 0;
  #faultCount = 0;
  #faults: string[] = [];
  #latencies: number[] = [];
  #beganAt = 0;
  #cpu = process.cpuUsage();
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  /** Where all are awaited, how many are not there yet, and what is done when they are. */
  #target = Number.POSITIVE_INFINITY;
  #missing = 0;
  #reached: () => void = () => {};

  constructor(uniform: Uniform, overRelay: boolean) {
    this.#events = new UniformEvents(uniform);
    this.#overRelay = overRelay;
  }

  /** Resolves with the room's head once all are subscribed, at one cursor. */
  async join(url: string, sockets: number, samples: number): Promise<number> {
    const path = this.#overRelay ? 'ws' : `rooms/${this.#events.room}`;
    const address = `${url.replace('http', 'ws')}/v1/${path}?system=off`;
    const cursors = new Set<number>();
    let joined = 0;
    const joinSome = async () => {
      while (joined < sockets) {
        const index = joined++;
        // Spread evenly: those who joined last are sent to last.
        const isSample =
          Math.floor((index * samples) / sockets) !== Math.floor(((index + 1) * samples) / sockets);
        cursors.add(await this.#joinOne(address, isSample));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_UPGRADES }, joinSome));
    const [head, ...others] = cursors;
    if (head === undefined || others.length > 0) throw new Error('the room moved meanwhile');
    return head;
  }

  /** Counts from here on. */
  begin(): void {
    this.#delivered = 0;
    this.#frames = 0;
    this.#conflated = 0;
    this.#faultCount = 0;
    this.#faults = [];
    this.#latencies = [];
    this.#beganAt = clock();
    this.#cpu = process.cpuUsage();
    this.#lag.reset();
    this.#lag.enable();
  }

  /** Resolves once every member has all up to `seq`, or at the deadline. */
  async reach(seq: number, deadlineMs: number): Promise<CrowdReport> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reached = resolve;
    this.#target = seq;
    this.#missing = [...this.#members].filter(({ cursor }) => cursor < seq).length;
    const deadline = setTimeout(resolve, deadlineMs);
    if (this.#missing > 0) await promise;
    clearTimeout(deadline);
    this.#target = Number.POSITIVE_INFINITY;
    const reachedAt = clock();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#lag.disable();
    const latencies = Float64Array.from(this.#latencies).sort();
    const quantile = (share: number) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
    return {
      reachedAt,
      members: this.#members.size,
      missing: this.#missing,
      events: this.#delivered,
      frames: this.#frames,
      conflated: this.#conflated,
      faultCount: this.#faultCount,
      faults: this.#faults,
      latency: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
      cpuShare: (user + system) / 1000 / (reachedAt - this.#beganAt),
      lagMs: this.#lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS,
    };
  }

  leave(): void {
    for (const socket of this.#sockets) socket.cut();
  }

  /** Resolves with its cursor once it has its snapshot. */
  async #joinOne(address: string, isSample: boolean): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let member: Member | undefined;
    const socket = await RawWebSocket.open(address, {
      text: (payload) => {
        if (member !== undefined) {
          // A message of a relay is an array, here of one frame: all is of one room.
          const frame = this.#overRelay ? payload.subarray(1, -1) : payload;
          return this.#take(member, frame, isSample);
        }
        const frames: RoomFrame[] = [JSON.parse(payload.toString())].flat();
        const frame = frames.find(({ type }) => type === 'snapshot');
        if (frame?.type !== 'snapshot') return;
        member = { cursor: frame.seq };
        this.#members.add(member);
        resolve(frame.seq);
      },
      ended: (how) => {
        reject(new Error(how));
        if (member !== undefined && this.#members.delete(member)) this.#fault(`closed: ${how}`);
      },
    });
    this.#sockets.push(socket);
    if (this.#overRelay) {
      socket.send(JSON.stringify({ type: 'subscribe', room: this.#events.room }));
    }
    return promise;
  }

  #take(member: Member, payload: Buffer, isSample: boolean): void {
    const span = this.#events.spanOf(payload);
    if (span === undefined) {
      this.#fault(payload.toString('utf8', 0, 200));
      return;
    }
    const { after, last, whole } = span;
    if (after !== member.cursor) this.#fault(`after ${after} at ${member.cursor}`);
    if (!whole) this.#conflated++;
    this.#frames++;
    this.#delivered += last - after;
    if (isSample && whole) {
      const now = clock();
      this.#events.timesOf(payload, span, (at) => this.#latencies.push(now - at));
    }
    if (member.cursor < this.#target && last >= this.#target && --this.#missing === 0) {
      this.#reached();
    }
    member.cursor = last;
  }

  #fault(what: string): void {
    if (this.#faultCount++ < MOST_REPORTED_FAULTS) this.#faults.push(what);
  }
}
