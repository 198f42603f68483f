/** Makes what an application has at hand fit to be shown to its users. */
import { PublishError } from './errors.ts';
import { toEncodingError, withoutLoss } from './outbox/json.ts';

/** If a receiver merged one of these keys carelessly, it would change every object there. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/**
 * C0 without tab and line feed, DEL and C1: none of these characters is text, and some of them steer
 * a terminal.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * A copy of `data` without what does not belong into a notification. Keys that would reach an
 * object's prototype are dropped, and so are undefined and functions; control characters, except tab
 * and line feed, are removed from strings and keys. A bigint becomes a decimal string, a `Date` its
 * ISO text, and an object with a `toJSON` what that gives. `data` itself is not changed.
 *
 * `NotificationService` calls this by itself. Whether the copy is too large or nests too deeply is
 * judged when it is published.
 *
 * @throws {PublishError} `data_invalid` when `data` is no object, holds itself, or holds a number that
 * is not finite, a `Map`, a `Set` or an `Error`.
 *
 * @example
 * sanitizeNotificationData({ note: 'done\u0007', amount: 10n ** 18n, at: new Date(0) });
 * // { note: 'done', amount: '1000000000000000000', at: '1970-01-01T00:00:00.000Z' }
 */
export function sanitizeNotificationData(data: object): Record<string, unknown> {
  const copy = parseCopy(data);
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new PublishError('data_invalid', 'data is an object');
  }
  return copy;
}

function parseCopy(data: object): Record<string, unknown> | null {
  try {
    return JSON.parse(JSON.stringify(data, withoutLoss) ?? 'null', (_key, value) => clean(value));
  } catch (error) {
    throw toEncodingError(error);
  }
}

/** A value whose parts are clean already. */
function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).map(([key, field]) => [cleanText(key), field] as const);
  return Object.fromEntries(fields.filter(([key]) => !PROTOTYPE_KEYS.has(key)));
}

function cleanText(text: string): string {
  return text.replace(CONTROL_CHARACTERS, '');
}
