/**
 * Keeps what is measured and what measures it on cores of their own: the load generator on the last,
 * everything else on the others.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Puts this process and all that it starts from now on away from the last core.
 * @returns the command that starts a process on the last core; empty, with a note, where there is no
 * `taskset` or one core.
 */
export function reserveCore(): readonly string[] {
  const last = availableParallelism() - 1;
  try {
    if (last === 0) throw new Error('there is one core');
    execFileSync('taskset', ['-acp', `0-${last - 1}`, String(process.pid)], { stdio: 'ignore' });
    console.log(`servers on core 0${last > 1 ? `-${last - 1}` : ''}, load on core ${last}`);
    return ['taskset', '-c', String(last)];
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    console.log(`note: servers and load share the cores (${why})`);
    return [];
  }
}
