/** Asks whether users may be notified, and lets their notifications on in the order of the questions. */
import { PublishError } from './errors.ts';

type Ask = (userId: string, type: string) => boolean | Promise<boolean>;

/**
 * Resolves when the user may be notified, and not before all earlier questions about the user are
 * answered: else a slow answer would let a later notification overtake.
 * @throws {PublishError} `permission_denied`, `permission_unknown`
 */
export function permissionTurns(ask: Ask): (userId: string, type: string) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return async (userId, type) => {
    const answer = answerOf(ask, userId, type);
    const turn = Promise.all([last.get(userId), answer]).then(() => undefined);
    last.set(userId, turn);
    await turn;
    if (last.get(userId) === turn) last.delete(userId);
    const refusal = await answer;
    if (refusal !== undefined) throw refusal;
  };
}

/** undefined: yes. It never rejects. */
async function answerOf(ask: Ask, userId: string, type: string): Promise<PublishError | undefined> {
  try {
    if (await ask(userId, type)) return undefined;
    return new PublishError('permission_denied', 'the user is not to get such notifications');
  } catch (cause) {
    const message = 'whether the user may be notified is not known';
    return new PublishError('permission_unknown', message, { cause });
  }
}
