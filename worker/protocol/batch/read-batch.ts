/**
 * Reads the body of a batch: parses it, checks its shape, and finds where in the text each record's
 * value stands, so that what is passed on are slices of what came in.
 *
 * `JSON.parse` and the reader of the text must see the same batch, or a value could be passed on that
 * was never validated. They could differ only where a key stands twice, so a duplicate in the batch
 * or in one of its records condemns the body.
 */
import * as v from 'valibot';
import { describeIssue } from '../describe-issue.ts';
import { type JsonText, JsonTextReader } from '../json-text.ts';
import {
  MAX_BATCH_RECORDS,
  type PositionedBatch,
  positionedBatchSchema,
  type UnpositionedBatch,
  unpositionedBatchSchema,
} from './batch.ts';

export type BatchReading =
  | { readonly kind: 'kafka'; readonly batch: PositionedBatch; readonly values: JsonText[] }
  | { readonly kind: 'webhook'; readonly batch: UnpositionedBatch; readonly values: JsonText[] }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'body_not_utf8'
        | 'body_not_json'
        | 'batch_malformed'
        | 'record_malformed'
        | 'batch_too_large';
      readonly message: string;
    };

/** A byte order mark is not removed, because it is no JSON: the parser refuses it. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function readBatch(body: Uint8Array): BatchReading {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    return { kind: 'refused', code: 'body_not_utf8', message: 'the body is not UTF-8' };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { kind: 'refused', code: 'body_not_json', message: String(error) };
  }
  const count = recordsOf(parsed).length;
  if (count > MAX_BATCH_RECORDS) {
    const message = `${count} records; a batch has at most ${MAX_BATCH_RECORDS}`;
    return { kind: 'refused', code: 'batch_too_large', message };
  }
  const shape = isPositioned(parsed)
    ? v.safeParse(positionedBatchSchema, parsed, ABORT_EARLY)
    : v.safeParse(unpositionedBatchSchema, parsed, ABORT_EARLY);
  if (!shape.success) return malformedBy(shape.issues[0]);
  const values = valuesOf(text, parsed);
  if (values === undefined) return malformed('a key stands twice in the batch or in a record');
  const batch = shape.output;
  return 'source' in batch ? { kind: 'kafka', batch, values } : { kind: 'webhook', batch, values };
}

const ABORT_EARLY = { abortEarly: true };

function recordsOf(parsed: unknown): readonly unknown[] {
  const isBatch = typeof parsed === 'object' && parsed !== null && 'records' in parsed;
  return isBatch && Array.isArray(parsed.records) ? parsed.records : [];
}

function isPositioned(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null && 'source' in parsed;
}

/**
 * A sender looks for a malformed record by halving the batch, which would be in vain, and would condemn
 * every record, if the fault were the batch's own. So the two have different codes.
 */
function malformedBy(issue: v.BaseIssue<unknown>): BatchReading {
  const [field, record] = issue.path ?? [];
  // A position without a source is no record's fault, because the source is the batch's.
  const isOfRecord = field?.key === 'records' && record !== undefined && issue.type !== 'never';
  return {
    kind: 'refused',
    code: isOfRecord ? 'record_malformed' : 'batch_malformed',
    message: describeIssue(issue),
  };
}

function malformed(message: string): BatchReading {
  return { kind: 'refused', code: 'batch_malformed', message };
}

/** The text of each record's value; undefined when a key stands twice. */
function valuesOf(text: string, parsed: unknown): JsonText[] | undefined {
  const records = recordsOf(parsed);
  const reader = new JsonTextReader(text);
  const values: JsonText[] = [];
  let count = 0;
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    count++;
    if (key !== 'records' || !reader.enterArray()) {
      reader.skip();
      continue;
    }
    while (reader.nextElement()) {
      const value = valueOfRecord(reader, records[values.length]);
      if (value === undefined) return undefined;
      values.push(value);
    }
  }
  return count === countKeys(parsed) ? values : undefined;
}

/** The text of one record's value; undefined when a key stands twice in the record. */
function valueOfRecord(reader: JsonTextReader, parsed: unknown): JsonText | undefined {
  let value = NO_VALUE;
  let count = 0;
  if (!reader.enterObject()) return undefined;
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    count++;
    const { start, end, fields, depth } = reader.skip();
    if (key === 'value') value = { text: reader.text.slice(start, end), fields, depth };
  }
  return count === countKeys(parsed) ? value : undefined;
}

/** A parsed object has each key once, so a text with a duplicate has more. */
function countKeys(parsed: unknown): number {
  let count = 0;
  if (typeof parsed === 'object' && parsed !== null) for (const _ in parsed) count++;
  return count;
}

/** The value of a record that has none; the judgement of the record refuses it. */
const NO_VALUE: JsonText = { text: 'null', fields: 0, depth: 0 };
