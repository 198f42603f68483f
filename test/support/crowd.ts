/**
 * A crowd: many plain WebSockets in one room, in a process of its own, so that what they cost is
 * neither the server's nor the asker's. It verifies every frame of every socket: each joins on to
 * the one before and holds every event of its span. Latency is taken of a sample of sockets.
 */
import { fileURLToPath } from 'node:url';
import { AskedProcess } from './asked-process.ts';
import type { CrowdHandlers } from './crowd-process.ts';
import type { Uniform } from './uniform-events.ts';

const PROCESS = fileURLToPath(new URL('crowd-process.ts', import.meta.url));
const REACH_WITHIN_MS = 30_000;

export interface CrowdReport {
  /** When the last member had it all, by `clock`. */
  readonly reachedAt: number;
  readonly members: number;
  /** How many members did not get there. */
  readonly missing: number;
  /** Over all members, since `begin`. */
  readonly events: number;
  readonly frames: number;
  /** Frames that left events out for newer ones. */
  readonly conflated: number;
  /** What no socket of a crowd should see: a broken chain, a gap, a close. */
  readonly faultCount: number;
  readonly faults: readonly string[];
  /** From production to the client, in ms, over all events of the sampled sockets. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** What the crowd's own process took of one core, and how late its event loop ran (p99). */
  readonly cpuShare: number;
  readonly lagMs: number;
}

export interface CrowdJoin {
  /** The Worker's, `http://…`. */
  readonly url: string;
  readonly uniform: Uniform;
  readonly sockets: number;
  /** How many of them tell latencies. */
  readonly samples: number;
  /** Whether the sockets are those of a relay, not of the room. */
  readonly overRelay?: boolean;
}

export class Crowd {
  readonly #process: AskedProcess<CrowdHandlers>;

  /** @param launcher a command that starts the process, such as `taskset -c 1`. */
  constructor(launcher: readonly string[] = []) {
    this.#process = new AskedProcess(PROCESS, launcher);
  }

  /** Resolves with the room's head once all sockets are subscribed; those of before have left. */
  join(join: CrowdJoin): Promise<number> {
    return this.#process.ask('join', join);
  }

  /** Counts from here on. */
  begin(): Promise<void> {
    return this.#process.ask('begin');
  }

  /** Resolves once every socket has all up to `seq`, or at the deadline. */
  reach(seq: number, deadlineMs = REACH_WITHIN_MS): Promise<CrowdReport> {
    return this.#process.ask('reach', seq, deadlineMs);
  }

  leave(): Promise<void> {
    return this.#process.ask('leave');
  }

  stop(): void {
    this.#process.stop();
  }
}
