/** Asks whether users may be notified, and lets their notifications on in the order of the questions. */
import { type Pause, pause as realPause } from '../shared/backoff.ts';
import { PublishError } from './errors.ts';

type Ask = (userId: string, type: string) => boolean | Promise<boolean>;

/** How long an answer is awaited, in ms. All questions about one user wait for the slowest answer. */
export const PERMISSION_TIMEOUT_MS = 10_000;

/**
 * Resolves when the user may be notified, and not before all earlier questions about the user are
 * answered. Otherwise a slow answer would let a later notification overtake.
 * @throws {PublishError} `permission_denied`, `permission_unknown`
 */
export function permissionTurns(
  ask: Ask,
  pause: Pause = realPause,
): (userId: string, type: string) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return async (userId, type) => {
    const answer = answerOf(ask, userId, type, pause);
    const turn = Promise.all([last.get(userId), answer]).then(() => undefined);
    last.set(userId, turn);
    await turn;
    if (last.get(userId) === turn) last.delete(userId);
    const refusal = await answer;
    if (refusal !== undefined) throw refusal;
  };
}

/** Why the user may not be notified; undefined when he may. It never rejects. */
async function answerOf(
  ask: Ask,
  userId: string,
  type: string,
  pause: Pause,
): Promise<PublishError | undefined> {
  const answered = new AbortController();
  const late = pause(PERMISSION_TIMEOUT_MS, answered.signal).then(() => {
    throw new Error(`no answer within ${PERMISSION_TIMEOUT_MS} ms`);
  });
  try {
    if (await Promise.race([ask(userId, type), late])) return undefined;
    return new PublishError('permission_denied', 'the user is not to get such notifications');
  } catch (cause) {
    const message = 'whether the user may be notified is not known';
    return new PublishError('permission_unknown', message, { cause });
  } finally {
    // Both may still fail, and nobody listens any more.
    late.catch(() => undefined);
    answered.abort();
  }
}
