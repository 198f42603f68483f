/**
 * Reads a recording: JSON lines `{"topic", "event", "at"?}`, or one JSON array of the same. The value
 * of a record is the text of `event` as it was written, byte for byte: digits are sacred.
 */
import { isUtf8 } from 'node:buffer';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { elementsOf, fieldsOf } from '../../../worker/protocol/json-text.ts';

/** The key of events without a symbol and a user: one partition, so that they stay in order. */
const SYSTEM_KEY = 'system';

export interface RecordedEvent {
  readonly topic: string;
  readonly key: string;
  /** The event's JSON, as it was written. */
  readonly value: string;
  /** When it is due, in ms; only differences count. */
  readonly at: number | undefined;
}

export type RecordingItem =
  | {
      readonly kind: 'record' /** "line 7" */;
      readonly where: string;
      readonly record: RecordedEvent;
    }
  | { readonly kind: 'bad'; readonly where: string; readonly reason: string };

const itemSchema = v.object({
  topic: v.pipe(v.string(), v.nonEmpty()),
  event: v.custom<object>(isObject, 'an object is expected'),
  at: v.optional(v.pipe(v.number(), v.finite())),
});
const name = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined);
const keySchema = v.object({ symbol: name, userId: name });

/** What `input` holds, one by one and in order. */
export async function* readRecording(input: Readable): AsyncGenerator<RecordingItem> {
  // Bytes as characters: what is not UTF-8 is seen, and U+2028 ends no line.
  input.setEncoding('latin1');
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let array: string[] | undefined;
  for await (const line of lines) {
    number++;
    if (array !== undefined) array.push(line);
    else if (line.trim().startsWith('[')) array = [line];
    else if (line.trim() !== '') yield readLine(Buffer.from(line, 'latin1'), `line ${number}`);
  }
  if (array !== undefined) yield* readArray(Buffer.from(array.join('\n'), 'latin1'));
}

function readLine(bytes: Buffer, where: string): RecordingItem {
  if (!isUtf8(bytes)) return { kind: 'bad', where, reason: 'not UTF-8' };
  return readItem(bytes.toString(), where);
}

function* readArray(bytes: Buffer): Generator<RecordingItem> {
  const text = bytes.toString();
  const parsed = isUtf8(bytes) ? parse(text) : { reason: 'not UTF-8' };
  if ('reason' in parsed) {
    yield { kind: 'bad', where: 'the array', reason: parsed.reason };
    return;
  }
  for (const [index, item] of elementsOf(text).entries()) yield readItem(item, `item ${index + 1}`);
}

function readItem(text: string, where: string): RecordingItem {
  const parsed = parse(text);
  if ('reason' in parsed) return { kind: 'bad', where, reason: parsed.reason };
  const item = v.safeParse(itemSchema, parsed.value, { abortEarly: true });
  if (!item.success) {
    const [issue] = item.issues;
    const path = v.getDotPath(issue);
    return { kind: 'bad', where, reason: `${path === null ? '' : `${path}: `}${issue.message}` };
  }
  const { topic, event, at } = item.output;
  const { symbol, userId } = v.parse(keySchema, event);
  const key = symbol ?? userId ?? SYSTEM_KEY;
  const value = fieldsOf(text).get('event') ?? '';
  return { kind: 'record', where, record: { topic, key, value, at } };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): { value: unknown } | { reason: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
