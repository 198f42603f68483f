/**
 * From a batch to what each room gets of it: every record is validated, its event's text composed
 * from slices of the source, and put under each room that it goes to.
 */
import type { PositionedBatch, Rejection, UnpositionedBatch } from './protocol/batch.ts';
import type { RejectionCode } from './protocol/codes.ts';
import { MAX_EVENT_DEPTH, MAX_EVENT_LENGTH, TAPE_MEMBERS } from './protocol/events.ts';
import { keyFault, SourceReader } from './protocol/json-source.ts';
import type { ValueSource } from './protocol/read-batch.ts';
import { type Destination, TOPICS, type Topic } from './protocol/topics.ts';
import type { RoomRecord } from './room/intake.ts';

type BatchRecord = PositionedBatch['records'][number] | UnpositionedBatch['records'][number];

export interface Routed<Item extends BatchRecord> {
  /** Each room's records, in the batch's order. */
  readonly rooms: ReadonlyMap<string, readonly RoutedRecord<Item>[]>;
  readonly rejected: readonly Rejection[];
}

/** A room's copy of an event, and the record it came in. */
export interface RoutedRecord<Item extends BatchRecord> extends RoomRecord {
  readonly record: Item;
}

/** @param sources of each record's value, in the same order. */
export function routeBatch<Item extends BatchRecord>(
  records: readonly Item[],
  sources: readonly ValueSource[],
  now: number,
): Routed<Item> {
  const rooms = new Map<string, RoutedRecord<Item>[]>();
  const rejected: Rejection[] = [];
  for (const [index, record] of records.entries()) {
    const source = sources[index];
    if (source === undefined) throw new Error('a record without its source');
    const topic = TOPICS.get(record.topic);
    const fault = topic === undefined ? unknownTopic(record) : faultOf(record.value, source);
    if (topic === undefined || fault !== undefined) {
      if (fault !== undefined) rejected.push({ index, ...fault });
      continue;
    }
    const admission = topic.admit(record.value);
    if (admission.kind === 'rejected') {
      rejected.push({ index, code: admission.code, message: admission.message });
      continue;
    }
    const { destinations, key, expiresAt, priority } = admission;
    for (const { room, view } of destinations) {
      const event = compose(topic, record.value, source, view, record.timestamp ?? now);
      const routed = { index, event, key, expiresAt, priority, record };
      const list = rooms.get(room);
      if (list === undefined) rooms.set(room, [routed]);
      else list.push(routed);
    }
  }
  return { rooms, rejected };
}

interface Fault {
  readonly code: RejectionCode;
  readonly message: string;
}

function unknownTopic({ topic }: BatchRecord): Fault {
  return { code: 'topic_unknown', message: `no event comes by ${JSON.stringify(topic)}` };
}

/** What is wrong with a value whatever its type. */
function faultOf(value: unknown, { text, memberCount, depth }: ValueSource): Fault | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { code: 'event_not_object', message: 'an event is a JSON object' };
  }
  if (text.length > MAX_EVENT_LENGTH) {
    const message = `${text.length} characters; an event has at most ${MAX_EVENT_LENGTH}`;
    return { code: 'event_too_large', message };
  }
  if (depth > MAX_EVENT_DEPTH) {
    const message = `${depth} levels deep; an event has at most ${MAX_EVENT_DEPTH}`;
    return { code: 'event_too_deep', message };
  }
  const code = keyFault(value, memberCount);
  switch (code) {
    case 'duplicate_key':
      return { code, message: 'an object has a key twice' };
    case 'forbidden_key':
      return { code, message: '__proto__, constructor and prototype are no keys' };
    case undefined:
      return undefined;
  }
}

/** The event's JSON as a room gets it: the source as it is, wherever nothing has to be left out. */
function compose(
  topic: Topic,
  value: unknown,
  source: ValueSource,
  view: Destination['view'],
  timestamp: number,
): string {
  const { members } = source;
  const hasNothingToLeaveOut =
    view === 'whole' &&
    hasOnly(value, topic.members) &&
    hasOnly(metadataOf(value), METADATA_MEMBERS);
  if (hasNothingToLeaveOut && members.has('timestamp')) return source.text;
  const metadata = knownMetadata(members.get('metadata'));
  const parts: string[] = [];
  for (const name of topic.members) {
    if (view === 'tape' && name === 'userId') continue;
    const text = members.get(name);
    if (name === 'timestamp') parts.push(`"timestamp":${text ?? timestamp}`);
    else if (name === 'metadata' && metadata !== undefined) parts.push(`"metadata":${metadata}`);
    else if (name === 'data' && view === 'tape') parts.push(`"data":${tapeOf(text ?? '{}')}`);
    else if (name !== 'metadata' && text !== undefined) parts.push(`"${name}":${text}`);
  }
  return `{${parts.join()}}`;
}

function metadataOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'metadata' in value ? value.metadata : {};
}

/** Whether a parsed object has no members but `names`. */
function hasOnly(value: unknown, names: ReadonlySet<string>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (!names.has(name)) return false;
  return true;
}

const METADATA_MEMBERS: ReadonlySet<string> = new Set(['priority', 'source', 'version']);

/** `data` of a trade with no more than a public tape shows. */
function tapeOf(data: string): string {
  return pick(data, TAPE_MEMBERS);
}

function knownMetadata(metadata: string | undefined): string | undefined {
  return metadata === undefined ? undefined : pick(metadata, METADATA_MEMBERS);
}

/** An object's JSON text without the members that are not in `names`; itself if it has no others. */
function pick(object: string, names: ReadonlySet<string>): string {
  const reader = new SourceReader(object);
  reader.enterObject();
  const kept: string[] = [];
  let left = 0;
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const { start, end } = reader.skip();
    if (names.has(key)) kept.push(`${JSON.stringify(key)}:${object.slice(start, end)}`);
    else left++;
  }
  return left === 0 ? object : `{${kept.join()}}`;
}
