/** How values become JSON text, without anything being lost in silence. */
import { isRejectionCode, PublishError } from '../errors.ts';

/** JSON would make an empty object of these, whatever is in them. */
const EMPTIED = [Map, Set, WeakMap, WeakSet, Error, RegExp, Promise] as const;

/**
 * A replacer for `JSON.stringify`. A bigint becomes a decimal string. What JSON would lose is refused:
 * a number that is not finite or an invalid `Date` would become `null`, and a `Map`, a `Set` or an
 * `Error` would become `{}`.
 */
export function withoutLoss(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || value instanceof BigInt) return value.toString();
  // A Date has become what its toJSON gives, which is null when it is no time.
  const given: unknown = value === null ? Reflect.get(Object(this), key) : undefined;
  if (given instanceof Date) {
    throw new PublishError('data_invalid', `${JSON.stringify(key)} is an invalid Date`);
  }
  const isNumber = typeof value === 'number' || value instanceof Number;
  if (isNumber && !Number.isFinite(Number(value))) {
    throw new PublishError('data_invalid', `${JSON.stringify(key)} is no finite number`);
  }
  const emptied = EMPTIED.find((type) => value instanceof type);
  if (emptied !== undefined) {
    const message = `${JSON.stringify(key)} is a ${emptied.name}, of which JSON would keep nothing`;
    throw new PublishError('data_invalid', message);
  }
  return value;
}

/** Why `JSON.stringify` has thrown. */
export function toEncodingError(cause: unknown): PublishError {
  if (cause instanceof PublishError && isRejectionCode(cause.code)) return cause;
  if (cause instanceof RangeError) {
    return new PublishError('event_too_deep', 'the event nests too deeply, or is too long', {
      cause,
    });
  }
  const message = 'the event is no JSON: it holds itself, or a getter or a toJSON throws';
  return new PublishError('data_invalid', message, { cause });
}
