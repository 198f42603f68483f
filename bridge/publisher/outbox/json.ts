/** How values become JSON text, without anything being lost in silence. */
import { isRejectionCode, PublishError } from '../errors.ts';

/** JSON would make an empty object of these, whatever is in them. */
const EMPTIED = [Map, Set, WeakMap, WeakSet, Error, RegExp, Promise] as const;
/** What JSON keeps, as `Object.prototype.toString` names it. An object of a class is an `Object` too. */
const KEPT: ReadonlySet<string> = new Set(['Object', 'Array', 'String', 'Number', 'Boolean']);

/**
 * A replacer for `JSON.stringify`. A bigint becomes a decimal string. What JSON would lose is refused:
 * a number that is not finite or an invalid `Date` would become `null`, and a `Map`, a `Set`, an `Error`
 * or the like would become `{}`.
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
  const emptied = emptiedKind(value);
  if (emptied !== undefined) {
    const message = `${JSON.stringify(key)} is a ${emptied}, of which JSON would keep nothing`;
    throw new PublishError('data_invalid', message);
  }
  return value;
}

/** The kind of object of which JSON would lose what is in it; undefined for any other value. */
function emptiedKind(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (Object.getPrototypeOf(value) === Object.prototype) return undefined;
  const known = EMPTIED.find((type) => value instanceof type);
  if (known !== undefined) return known.name;
  // One of another realm, such as a test runner's, is no instance of ours, and has its name all the same.
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (KEPT.has(kind)) return undefined;
  // The bytes of a typed array would become members that are named by numbers.
  const isLost = ArrayBuffer.isView(value) || Object.keys(value).length === 0 || kind === 'Error';
  return isLost ? kind : undefined;
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
