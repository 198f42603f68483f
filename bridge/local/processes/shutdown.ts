/**
 * When `npm start` is to end: a terminal's Ctrl-C, a supervisor's SIGTERM, a closed terminal, or
 * the death of the npm that started it, which could not say so.
 */
import { execFileSync } from 'node:child_process';

/** npm passes on what the terminal has sent to all of us already: one press comes as two signals. */
const SAME_PRESS_MS = 1000;
/** How soon the death of npm is noticed. */
const PARENT_POLL_MS = 250;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `onEnd` at the first sign, and `onForce` when somebody gets impatient. */
export function listenForEnd(
  onEnd: () => void,
  onForce: () => void,
  now: () => number = Date.now,
): void {
  let endedAt: number | undefined;
  const end = () => {
    if (endedAt === undefined) {
      endedAt = now();
      onEnd();
    } else if (now() - endedAt > SAME_PRESS_MS) {
      onForce();
    }
  };
  for (const signal of SIGNALS) process.on(signal, end);
  const starters = startersOf(process.ppid);
  if (starters.length === 0) return;
  const poll = setInterval(() => {
    if (process.ppid === starters[0] && starters.every(isAlive)) return;
    clearInterval(poll);
    end();
  }, PARENT_POLL_MS);
  poll.unref();
}

/** The shell in which npm runs a script, if it is still there, and npm. */
function startersOf(parent: number): number[] {
  if (process.env.npm_lifecycle_event === undefined) return [];
  const [above, command] = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(parent)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/, 2);
  return command?.endsWith('sh') ? [parent, Number(above)] : [parent];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
