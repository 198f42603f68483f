/** Reads the errors of kafkajs, which wraps the broker's answer in one retry error after another. */

/** The broker's error types (`MESSAGE_TOO_LARGE`, …) in an error and in everything that it wraps. */
export function errorTypes(error: unknown): string[] {
  const types: string[] = [];
  const seen = new Set<unknown>();
  const pending: unknown[] = [error];
  while (pending.length > 0) {
    const current = pending.pop();
    if (!(current instanceof Error) || seen.has(current)) continue;
    seen.add(current);
    if ('type' in current && typeof current.type === 'string') types.push(current.type);
    pending.push(current.cause);
    if ('originalError' in current) pending.push(current.originalError);
    if ('errors' in current && Array.isArray(current.errors)) pending.push(...current.errors);
  }
  return types;
}

/** A stable word for logs, metrics and the readiness page. */
export function errorLabel(error: unknown): string {
  const [type] = errorTypes(error);
  if (type !== undefined) return type;
  return error instanceof Error && error.name !== 'Error' ? error.name : 'kafka_unavailable';
}
