/** Who gets a notification, read once: what is asked for permission and queued is what is sent. */
import { PublishError } from './errors.ts';
import type { NotificationEvent } from './events.ts';

/**
 * A copy of `target`, if it can be one at all; whether it is one the gateway's rules decide.
 * @throws {PublishError} `target_invalid`
 */
export function readTarget(target: unknown): NotificationEvent['target'] {
  try {
    if (typeof target === 'object' && target !== null) {
      const type: unknown = Reflect.get(target, 'type');
      const id: unknown = Reflect.get(target, 'id');
      // Whom everybody is needs no id, whatever stands there.
      if (type === 'all') return { type };
      if (typeof type === 'string' && typeof id === 'string') return { type, id };
      if (typeof type === 'string' && id === undefined) return { type };
    }
  } catch (cause) {
    throw new PublishError('target_invalid', 'the target throws when it is read', { cause });
  }
  throw new PublishError('target_invalid', 'a target has a type, and an id unless it is all');
}
