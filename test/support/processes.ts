/** What runs on this machine, to see that nothing is left behind. */
import { execFileSync } from 'node:child_process';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All that run, without those that have ended and that nobody has collected yet. */
function running(): Process[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, state, command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

export function isRunning(pid: number): boolean {
  return running().some((process) => process.pid === pid);
}

/** The processes whose command line holds `text`. */
export function processesWith(text: string): Process[] {
  return running().filter(({ command }) => command.includes(text));
}

/** Those that `pid` has started, and those that these have. */
export function descendantsOf(pid: number): Process[] {
  const all = running();
  const found: Process[] = [];
  const parents = [pid];
  for (const parent of parents) {
    const children = all.filter((process) => process.parent === parent);
    found.push(...children);
    parents.push(...children.map((child) => child.pid));
  }
  return found;
}
