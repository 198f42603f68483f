/** Waiting until a part of the stack says over HTTP that it is ready. */
import { type Pause, pause } from '../shared/backoff.ts';
import { SetupError } from './setup-error.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 100;
const ATTEMPT_MS = 2000;
/** Enough of an answer to see what is missing. */
const SHOWN_CHARACTERS = 300;

/**
 * Resolves once `url` answers 200.
 * @throws {SetupError} with what it last answered, when it does not in a minute.
 */
export async function waitUntilReady(
  name: string,
  url: string,
  signal: AbortSignal,
  now: () => number = Date.now,
  wait: Pause = pause,
): Promise<void> {
  const deadline = now() + DEADLINE_MS;
  let last = 'no answer';
  while (now() < deadline) {
    signal.throwIfAborted();
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(ATTEMPT_MS) });
      const text = await answer.text();
      if (answer.status === 200) return;
      last = `${answer.status} ${text.slice(0, SHOWN_CHARACTERS)}`;
    } catch {
      // It does not listen yet.
    }
    await wait(POLL_MS, signal);
  }
  throw new SetupError(`${name} is not ready after ${DEADLINE_MS / 1000} s: ${last} (${url}).`);
}
