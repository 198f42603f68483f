/** Who gets a notification, read once: what is asked for permission and queued is what is sent. */
import { PublishError } from './errors.ts';
import type { NotificationEvent } from './events.ts';

/**
 * A copy of `target`, if it has the shape of one. The gateway's rules judge it when it is published.
 * @throws {PublishError} `target_invalid`
 */
export function readTarget(
  target: NotificationEvent['target'] | null | undefined,
): NotificationEvent['target'] {
  const { type, id } = target ?? {};
  // A target that is everybody needs no id, whatever stands there.
  if (type === 'all') return { type };
  if (typeof type === 'string' && typeof id === 'string') return { type, id };
  if (typeof type === 'string' && id === undefined) return { type };
  throw new PublishError('target_invalid', 'a target has a type, and an id unless it is all');
}
