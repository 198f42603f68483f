/** What an application has at hand, made fit to be shown to its users. */
import { MAX_EVENT_DEPTH, MAX_EVENT_LENGTH } from '../../worker/protocol/events.ts';
import { isRejectionCode, PublishError } from './errors.ts';

/** `data` stands inside an event, which is one level itself. */
const MAX_DATA_DEPTH = MAX_EVENT_DEPTH - 1;
/** A careless merge at a receiver would turn these into a change of every object there. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** C0 but for tab and line feed, DEL and C1: nothing of it is text, and some steer a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * A copy of `data` without what does not belong into a notification: keys that would reach an
 * object's prototype are dropped, and so are undefined and functions; control characters (but tab and
 * line feed) are removed from strings and keys. A bigint becomes a decimal string, a `Date` its ISO
 * text, what has a `toJSON` what that gives. `data` itself is left as it is.
 *
 * `NotificationService` does this by itself.
 *
 * @throws {PublishError} `data_invalid` for a cycle, a number that is not finite, what throws when it
 * is read, or what is no object; `event_too_deep` beyond 15 levels; `event_too_large` beyond 256 Ki
 * characters.
 *
 * @example
 * sanitizeNotificationData({ note: 'done\u0007', amount: 10n ** 18n, at: new Date(0) });
 * // { note: 'done', amount: '1000000000000000000', at: '1970-01-01T00:00:00.000Z' }
 */
export function sanitizeNotificationData(data: object): Record<string, unknown> {
  let copy: unknown;
  try {
    copy = new Sanitizer().copy(data, '', 0);
  } catch (error) {
    // With another code it is none of ours: a member has thrown it.
    if (error instanceof PublishError && isRejectionCode(error.code)) throw error;
    throw new PublishError('data_invalid', 'a member throws when it is read', { cause: error });
  }
  if (!isPlainObject(copy)) throw new PublishError('data_invalid', 'data is an object');
  return copy;
}

class Sanitizer {
  /** Objects that hold the one at hand: to meet one of them again is a cycle. */
  readonly #holders = new Set<object>();
  /** Characters at least that the copy has as JSON; what is shared counts each time. */
  #length = 0;

  /** undefined: it has no place in JSON. @param depth of the object that holds `given`. */
  copy(given: unknown, key: string, depth: number): unknown {
    const value = unwrap(given, key);
    switch (typeof value) {
      case 'string': {
        const text = clean(value);
        this.#grow(text.length + 2);
        return text;
      }
      case 'number':
        if (!Number.isFinite(value))
          throw new PublishError('data_invalid', 'a number is not finite');
        this.#grow(1);
        return value;
      case 'bigint': {
        const text = value.toString();
        this.#grow(text.length + 2);
        return text;
      }
      case 'boolean':
        this.#grow(4);
        return value;
      case 'object':
        if (value !== null) return this.#copyObject(value, depth + 1);
        this.#grow(4);
        return null;
      default:
        return undefined;
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (this.#holders.has(value)) throw new PublishError('data_invalid', 'the data has a cycle');
    if (depth > MAX_DATA_DEPTH) {
      const message = `more than ${MAX_EVENT_DEPTH} levels deep`;
      throw new PublishError('event_too_deep', message);
    }
    this.#grow(2);
    this.#holders.add(value);
    const copy = Array.isArray(value)
      ? this.#copyArray(value, depth)
      : this.#copyMembers(value, depth);
    this.#holders.delete(value);
    return copy;
  }

  #copyArray(array: readonly unknown[], depth: number): unknown[] {
    const { length } = array;
    // The commas, before anything is made: an array may be long and hold nothing.
    this.#grow(Math.max(length - 1, 0));
    return Array.from(
      { length },
      (_, index) => this.copy(array[index], String(index), depth) ?? null,
    );
  }

  #copyMembers(value: object, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const key = clean(name);
      if (PROTOTYPE_KEYS.has(key)) continue;
      const member = this.copy(Reflect.get(value, name), name, depth);
      if (member === undefined) continue;
      this.#grow(key.length + 3);
      copy[key] = member;
    }
    return copy;
  }

  #grow(characters: number): void {
    this.#length += characters;
    if (this.#length <= MAX_EVENT_LENGTH) return;
    const message = `an event has at most ${MAX_EVENT_LENGTH} characters`;
    throw new PublishError('event_too_large', message);
  }
}

/** As JSON takes it: by its own `toJSON`, and out of the box. */
function unwrap(given: unknown, key: string): unknown {
  if (given instanceof Date && Number.isNaN(given.getTime())) {
    throw new PublishError('data_invalid', 'a Date is none');
  }
  if (typeof given !== 'object' || given === null) return given;
  const toJson: unknown = Reflect.get(given, 'toJSON');
  const value: unknown = typeof toJson === 'function' ? toJson.call(given, key) : given;
  const isBoxed =
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean ||
    value instanceof BigInt;
  return isBoxed ? value.valueOf() : value;
}

function clean(text: string): string {
  return text.replace(CONTROL_CHARACTERS, '');
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
