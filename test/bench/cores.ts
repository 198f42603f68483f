/** Keeps what is measured and what measures it on cores of their own. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const MS_PER_TICK = 10;

/**
 * Puts this process and all that it starts from now on away from the last core.
 * @returns the command that starts a process on the last core; empty, with a note, where there is no
 * `taskset` or one core.
 */
export function reserveCore(): readonly string[] {
  const last = availableParallelism() - 1;
  const isReserved = stayOn(last === 1 ? '0' : `0-${last - 1}`);
  if (isReserved) console.log(`load on core ${last}, servers on the others`);
  return isReserved ? ['taskset', '-c', String(last)] : [];
}

/** The core on which nothing runs but the servers that are measured. */
export interface ServerCore {
  /** The command that starts a process there. */
  readonly launcher: readonly string[];
  /** Moves a process there that runs already. */
  take(pid: number): void;
  /** How long the core has been busy with anything, or was taken by the host, in ms. */
  busyMs(): number;
}

/** Puts this process and all that it starts from now on away from the first core. */
export function reserveServerCore(): ServerCore {
  const last = availableParallelism() - 1;
  const isReserved = stayOn(last === 1 ? '1' : `1-${last}`);
  if (isReserved) console.log('servers on core 0, load on the others');
  return {
    launcher: isReserved ? ['taskset', '-c', '0'] : [],
    take(pid) {
      if (isReserved) execFileSync('taskset', ['-acp', '0', String(pid)], { stdio: 'ignore' });
    },
    busyMs: () => busyMs(0),
  };
}

function stayOn(cores: string): boolean {
  try {
    if (availableParallelism() === 1) throw new Error('there is one core');
    execFileSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    console.log(`note: servers and load share the cores (${why})`);
    return false;
  }
}

/** By proc_stat(5); 0 where there is none. */
function busyMs(core: number): number {
  const line = readFileSync('/proc/stat', 'latin1').match(
    new RegExp(`^cpu${core} (.*)$`, 'm'),
  )?.[1];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK;
}
