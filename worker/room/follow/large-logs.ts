/**
 * How many followers are given a large log at once. An object composes a whole log anew for each of them,
 * and holds it until it has arrived, so many that come together would fill its memory. Such a log is never
 * the answer to `follow`: it is pushed, because the answer to a push says that it has arrived, and because
 * a push that has no answer is given up. Whoever has to wait is pushed to when another has had its answer.
 */
import { SLICE_CHARACTERS } from '../delivery/slice.ts';
import type { Log } from '../log/log.ts';
import type { Call } from './calls/call.ts';

/**
 * A log of more characters is large. All other answers and pushes are not longer than this, either. It is
 * less than 1 MiB, though a character may take three bytes on its way.
 */
export const LARGE_LOG = SLICE_CHARACTERS;
/** One that does not answer must not hold up the others, so it is more than one. */
export const LARGE_LOGS_AT_ONCE = 2;

type PushOfLog = Pick<Call, 'isInFlight'>;

export class LargeLogs {
  readonly #largeLog: number;
  /** Those that were made with a large log, as long as nobody has looked whether they have ended. */
  readonly #pushes = new Set<PushOfLog>();

  /** @param largeLog a log of more characters is large. */
  constructor(largeLog: number) {
    this.#largeLog = largeLog;
  }

  isLarge({ size }: Pick<Log, 'size'>): boolean {
    return size > this.#largeLog;
  }

  /** Whether no other large log may be pushed now. */
  get areMost(): boolean {
    for (const push of this.#pushes) if (!push.isInFlight) this.#pushes.delete(push);
    return this.#pushes.size >= LARGE_LOGS_AT_ONCE;
  }

  /** A push begins, with a large log or with less. */
  begin(push: PushOfLog, isLarge: boolean): void {
    if (isLarge) this.#pushes.add(push);
    else this.#pushes.delete(push);
  }
}
