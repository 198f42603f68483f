/**
 * A deadline that a stuck event loop cannot miss: a thread of its own sleeps and then kills the
 * process. A timer was rejected, because the deadline guards against a loop in which no timer runs.
 */
import { Worker } from 'node:worker_threads';

// The code is inline, because the process that would load a file for the thread may be stuck.
const SLEEP_AND_KILL = `
  const { workerData: { ms } } = require('node:worker_threads');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  process.kill(process.pid, 'SIGKILL');
`;

/** Kills this process in `ms`, unless it has ended by then. */
export function killAfter(ms: number): void {
  new Worker(SLEEP_AND_KILL, { eval: true, workerData: { ms } }).unref();
}
