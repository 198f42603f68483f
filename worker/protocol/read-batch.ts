/**
 * Reads the body of a batch: parses it, checks its shape, and finds where in the text each record's
 * value stands, so that what is passed on are slices of what came in.
 */
import * as v from 'valibot';
import {
  MAX_BATCH_RECORDS,
  type PositionedBatch,
  positionedBatchSchema,
  type UnpositionedBatch,
  unpositionedBatchSchema,
} from './batch.ts';
import { describeIssue } from './describe-issue.ts';
import { SourceReader, type ValueSource } from './json-source.ts';

export type BatchReading =
  | { readonly kind: 'kafka'; readonly batch: PositionedBatch; readonly sources: ValueSource[] }
  | { readonly kind: 'webhook'; readonly batch: UnpositionedBatch; readonly sources: ValueSource[] }
  | {
      readonly kind: 'refused';
      readonly code: 'body_not_utf8' | 'body_not_json' | 'batch_malformed' | 'batch_too_large';
      readonly message: string;
    };

/** A byte order mark is no JSON, so it is left for the parser to refuse. */
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
  const count = recordCount(parsed);
  if (count > MAX_BATCH_RECORDS) {
    const message = `${count} records; a batch has at most ${MAX_BATCH_RECORDS}`;
    return { kind: 'refused', code: 'batch_too_large', message };
  }
  if (isPositioned(parsed)) {
    const { success, output, issues } = v.safeParse(positionedBatchSchema, parsed, ABORT_EARLY);
    return success
      ? { kind: 'kafka', batch: output, sources: findSources(text) }
      : malformed(issues);
  }
  const { success, output, issues } = v.safeParse(unpositionedBatchSchema, parsed, ABORT_EARLY);
  return success
    ? { kind: 'webhook', batch: output, sources: findSources(text) }
    : malformed(issues);
}

const ABORT_EARLY = { abortEarly: true };

function recordCount(parsed: unknown): number {
  const isBatch = typeof parsed === 'object' && parsed !== null && 'records' in parsed;
  return isBatch && Array.isArray(parsed.records) ? parsed.records.length : 0;
}

function isPositioned(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null && 'source' in parsed;
}

function malformed([issue]: readonly [v.BaseIssue<unknown>, ...unknown[]]): BatchReading {
  return { kind: 'refused', code: 'batch_malformed', message: describeIssue(issue) };
}

function findSources(text: string): ValueSource[] {
  const reader = new SourceReader(text);
  let sources: ValueSource[] = [];
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key !== 'records') {
      reader.skip();
      continue;
    }
    // Of a key that stands twice the last counts, here as in JSON.parse.
    sources = [];
    reader.enterArray();
    while (reader.nextElement()) sources.push(findValue(reader));
  }
  return sources;
}

function findValue(reader: SourceReader): ValueSource {
  let source = NO_VALUE;
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const { start, end, members, depth } = reader.skip();
    if (key === 'value') source = { text: reader.text.slice(start, end), members, depth };
  }
  return source;
}

/** Until its value is found. A record without one has been refused by the schema. */
const NO_VALUE: ValueSource = { text: 'null', members: 0, depth: 0 };
