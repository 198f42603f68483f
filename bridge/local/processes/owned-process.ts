/**
 * Processes that never outlive us, not even if we are killed with SIGKILL. Beside each runs a
 * shell that reads from a pipe whose other end only we hold: when we are gone it reads the end,
 * and kills. They are in sessions of their own, so that a terminal's Ctrl-C reaches us alone and
 * we stop them in our order.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a process ended, to be printed: "SIGKILL" or "exit code 1". */
export type Ending = string;

export interface OwnedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exited: Promise<Ending>;
  /** Asks it to end with SIGTERM; makes it end after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** @throws what `spawn` reports, such as ENOENT for a command that is not there. */
export async function spawnOwned(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<OwnedProcess> {
  const child = spawn(command, args, { ...options, detached: true });
  const exited = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error(`${command} has no process id`);
  leash(child, child.pid);
  return { pid: child.pid, child, exited, stop: (graceMs) => stop(child, exited, graceMs) };
}

/** Ties the life of a running process to ours. */
export function leash(child: ChildProcess, pid: number): void {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // First of all, lest the number be another process's by the time the pipe closes.
  child.once('exit', () => watchdog.kill('SIGKILL'));
  watchdog.unref();
  // An open pipe is what the watchdog waits on, not something that keeps us alive.
  const pipe = watchdog.stdin;
  pipe?.on('error', () => {});
  if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}

async function stop(child: ChildProcess, exited: Promise<Ending>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(force);
}
