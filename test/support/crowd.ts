/**
 * A crowd: many plain WebSockets in one room, in a process of its own, so that what they cost is
 * neither the server's nor the asker's. It verifies every frame of every socket: each joins on to
 * the one before and holds every event of its span. Latency is taken of a sample of sockets.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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

export type CrowdCall =
  | ({ readonly type: 'join' } & CrowdJoin)
  | { readonly type: 'begin' }
  | { readonly type: 'reach'; readonly seq: number; readonly deadlineMs: number }
  | { readonly type: 'leave' };

export interface CrowdRequest {
  readonly id: number;
  readonly call: CrowdCall;
}

export type CrowdAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

export class Crowd {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  /** @param launcher a command that starts the process, such as `taskset -c 1`. */
  constructor(launcher: readonly string[] = []) {
    const [command = process.execPath, ...args] = [...launcher, process.execPath, PROCESS];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: CrowdAnswer) => {
      const asked = this.#asked.get(answer.id);
      this.#asked.delete(answer.id);
      if ('error' in answer) asked?.reject(new Error(answer.error));
      else asked?.resolve(answer.value);
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#asked.values()) {
        reject(new Error(`the crowd's process ended (${signal ?? code})`));
      }
    });
  }

  /** Resolves with the room's head once all sockets are subscribed; those of before have left. */
  async join(join: CrowdJoin): Promise<number> {
    return Number(await this.#ask({ type: 'join', ...join }));
  }

  /** Counts from here on. */
  async begin(): Promise<void> {
    await this.#ask({ type: 'begin' });
  }

  /** Resolves once every socket has all up to `seq`, or at the deadline. */
  async reach(seq: number, deadlineMs = REACH_WITHIN_MS): Promise<CrowdReport> {
    return (await this.#ask({ type: 'reach', seq, deadlineMs })) as CrowdReport;
  }

  async leave(): Promise<void> {
    await this.#ask({ type: 'leave' });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(call: CrowdCall): Promise<unknown> {
    const id = ++this.#lastId;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    const request: CrowdRequest = { id, call };
    this.#child.send(request);
    return asked.promise;
  }
}
