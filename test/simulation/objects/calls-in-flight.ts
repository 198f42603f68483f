/**
 * An object's calls in flight: there is at most one to each object of each kind, and few of them are
 * pushes of a large log.
 */
import { LARGE_LOGS_AT_ONCE } from '../../../worker/room/follow/large-logs.ts';
import { charactersOf } from './judge.ts';
import type { Say } from './network.ts';

export class CallsInFlight {
  readonly #calls = new Map<string, Say>();
  readonly #largeLog: number;

  /** @param largeLog a log of more characters is large. */
  constructor(largeLog: number) {
    this.#largeLog = largeLog;
  }

  /** Whether so many large logs are on their way that a further one has to wait. */
  get areMostLarge(): boolean {
    return this.#countLarge() >= LARGE_LOGS_AT_ONCE;
  }

  /** Takes note of a call. What promise it breaks; undefined when it breaks none. */
  begin(to: string, say: Say): string | undefined {
    const key = keyOf(to, say);
    if (this.#calls.has(key)) return `has two calls in flight to ${to}`;
    this.#calls.set(key, say);
    const large = this.#countLarge();
    return large > LARGE_LOGS_AT_ONCE ? `has ${large} large logs on their way` : undefined;
  }

  /** The call has ended, or was given up. */
  end(to: string, say: Say): void {
    const key = keyOf(to, say);
    if (this.#calls.get(key) === say) this.#calls.delete(key);
  }

  #countLarge(): number {
    let count = 0;
    for (const say of this.#calls.values()) if (isLargeLog(say, this.#largeLog)) count++;
    return count;
  }
}

/** Whether a call pushes a large log. */
export function isLargeLog(say: Say, largeLog: number): boolean {
  if (say.kind === 'follow' || say.call.content.kind === 'entries') return false;
  return charactersOf(say.call.content.log) > largeLog;
}

function keyOf(to: string, { kind }: Say): string {
  return `${kind} ${to}`;
}
