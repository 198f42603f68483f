/** Waiting until a part of the stack says over HTTP that it is ready. */
import * as v from 'valibot';
import { type Pause, pause } from '../shared/backoff.ts';
import { SetupError } from './setup-error.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 100;
const ATTEMPT_MS = 2000;
/** Enough of an answer to see what is missing. */
const SHOWN_CHARACTERS = 300;

/** What the readiness page of a bridge says. */
const pageSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    problems: v.record(v.string(), v.string()),
    details: v.record(v.string(), v.object({ remedy: v.optional(v.string()) })),
  }),
);

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
      last = problemsOf(text) ?? `${answer.status} ${text.slice(0, SHOWN_CHARACTERS)}`;
    } catch {
      // It does not listen yet.
    }
    await wait(POLL_MS, signal);
  }
  throw new SetupError(`${name} is not ready after ${DEADLINE_MS / 1000} s: ${last} (${url}).`);
}

/** Each problem with its remedy; undefined for anything but a readiness page. */
function problemsOf(text: string): string | undefined {
  const { success, output } = v.safeParse(pageSchema, text);
  if (!success) return undefined;
  return Object.entries(output.problems)
    .map(([name, reason]) => `${name}: ${reason}. ${output.details[name]?.remedy ?? ''}`.trim())
    .join(' ');
}
