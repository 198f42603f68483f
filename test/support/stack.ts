/** The local stack as a user runs it, in processes of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../bridge/local/processes/port.ts';
import { descendantsOf, isRunning } from './processes.ts';
import { until } from './until.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIVE_WITHIN_MS = 60_000;

export type StackEnv = Readonly<
  Record<'PORT' | 'BRIDGE_PORT' | 'KAFKA_PORT' | 'STATE_DIR' | 'FEED', string>
>;

/** Ports that are free, and no sample feed: what a test sees, it has produced. */
export async function stackEnv(stateDir: string): Promise<StackEnv> {
  return {
    PORT: String(await freePort()),
    BRIDGE_PORT: String(await freePort()),
    KAFKA_PORT: String(await freePort()),
    STATE_DIR: stateDir,
    FEED: 'off',
  };
}

export class StartedStack {
  readonly pid: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #output = '';

  /** Runs `command` in a session of its own, as a terminal does. */
  constructor(
    env: StackEnv & Readonly<Record<string, string>>,
    command: readonly [string, ...string[]],
  ) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, KAFKA_BROKERS: '', ...env },
      detached: true,
    });
    this.pid = this.#child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    }
  }

  get output(): string {
    return this.#output;
  }

  /** Waits until it says that all is up, and gives every process that it consists of. */
  async live(): Promise<number[]> {
    await until(
      'the stack is up',
      () => this.#output.includes('The gateway is up'),
      LIVE_WITHIN_MS,
    ).catch((error: unknown) => {
      throw new Error(this.#output, { cause: error });
    });
    return [this.pid, ...descendantsOf(this.pid).map(({ pid }) => pid)];
  }

  /** Sends `signal` to the first process, or as a terminal does to all of its group. */
  signal(signal: NodeJS.Signals, to: 'process' | 'group'): void {
    if (to === 'group') process.kill(-this.pid, signal);
    else this.#child.kill(signal);
  }
}

/** Waits until none of `pids` is there. */
export async function gone(pids: readonly number[], withinMs: number): Promise<void> {
  await until('all processes are gone', () => !pids.some(isRunning), withinMs);
}
