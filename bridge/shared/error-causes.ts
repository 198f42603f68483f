/** Libraries wrap what happened in one error after another, so that the cause has to be looked for. */

/** `error` and every error that it wraps, from the outside in. */
export function* causesOf(error: unknown): Generator<Error> {
  const seen = new Set<unknown>();
  const pending: unknown[] = [error];
  while (pending.length > 0) {
    const current = pending.pop();
    if (!(current instanceof Error) || seen.has(current)) continue;
    seen.add(current);
    yield current;
    pending.push(current.cause);
    if ('originalError' in current) pending.push(current.originalError);
    if ('errors' in current && Array.isArray(current.errors)) pending.push(...current.errors);
  }
}
