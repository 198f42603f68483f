/**
 * The text of an event as a room gets it: the source as it is, wherever nothing has to be left out.
 * Otherwise it is put together from slices of the source, so digits arrive as they were published.
 */
import { TAPE_FIELDS } from '../protocol/events/events.ts';
import type { Destination, Topic } from '../protocol/events/topics.ts';
import { fieldsOf } from '../protocol/json-text.ts';

const METADATA_FIELDS: ReadonlySet<string> = new Set(['priority', 'source', 'version']);

/** @param timestamp stands in for the one that an event may leave out, Unix ms. */
export function compose(
  topic: Topic,
  value: unknown,
  text: string,
  view: Destination['view'],
  timestamp: number,
): string {
  if (view === 'whole' && isFitToSend(value, topic)) return text;
  const fields = fieldsOf(text);
  for (const [name, value] of fields) if (value === 'null') fields.delete(name);
  if (!fields.has('timestamp')) fields.set('timestamp', String(timestamp));
  const metadata = fields.get('metadata');
  if (metadata !== undefined) fields.set('metadata', pick(metadata, METADATA_FIELDS));
  if (view === 'tape') {
    fields.delete('userId');
    fields.set('data', pick(fields.get('data') ?? '{}', TAPE_FIELDS));
  }
  return encode(fields, topic.fields);
}

/** Whether a validated event has all that clients are sent, and nothing else, such as a null. */
function isFitToSend(value: unknown, { fields }: Topic): boolean {
  if (typeof value !== 'object' || value === null || !('timestamp' in value)) return false;
  return (
    hasOnly(value, fields) && (!('metadata' in value) || hasOnly(value.metadata, METADATA_FIELDS))
  );
}

function hasOnly(value: unknown, names: ReadonlySet<string>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) {
    if (!names.has(name) || (value as Readonly<Record<string, unknown>>)[name] === null)
      return false;
  }
  return true;
}

/** The text of an object with no fields but `names`, their values as they are. A null is none. */
function pick(object: string, names: ReadonlySet<string>): string {
  return encode(fieldsOf(object), names);
}

function encode(fields: ReadonlyMap<string, string>, names: ReadonlySet<string>): string {
  const parts: string[] = [];
  for (const name of names) {
    const text = fields.get(name);
    if (text !== undefined && text !== 'null') parts.push(`"${name}":${text}`);
  }
  return `{${parts.join()}}`;
}
