/**
 * From a batch to what each room gets of it: every record is validated, its event's text composed
 * from slices of the source, and put under each room that it goes to.
 */

import { admit } from './protocol/admit.ts';
import type { PositionedBatch, Rejection, UnpositionedBatch } from './protocol/batch.ts';
import { TAPE_MEMBERS } from './protocol/events.ts';
import { membersOf, type ValueSource } from './protocol/json-source.ts';
import type { Destination, Topic } from './protocol/topics.ts';
import type { RoomRecord } from './room/intake/intake.ts';

type BatchRecord = PositionedBatch['records'][number] | UnpositionedBatch['records'][number];

/** A room's copy of an event; `position` is what the record tells of Kafka, if it came from there. */
export interface RoutedRecord<Item extends BatchRecord> extends RoomRecord {
  readonly position: Item;
}

export interface Routed<Item extends BatchRecord> {
  /** Each room's records, in the batch's order. */
  readonly rooms: ReadonlyMap<string, readonly RoutedRecord<Item>[]>;
  readonly rejected: readonly Rejection[];
}

/** @param sources of each record's value, in the same order. */
export function routeBatch<Item extends BatchRecord>(
  records: readonly Item[],
  sources: readonly ValueSource[],
  now: number,
): Routed<Item> {
  const rooms = new Map<string, RoutedRecord<Item>[]>();
  const rejections: Rejection[] = [];
  for (const [index, record] of records.entries()) {
    const source = sources[index];
    if (source === undefined) throw new Error('a record without its source');
    const admission = admit(record.topic, record.value, source);
    if (admission.kind === 'rejected') {
      const { code, message } = admission;
      rejections.push({ index, code, message });
      continue;
    }
    const { topic, destinations, key, expiresAt, priority } = admission;
    for (const { room, view } of destinations) {
      const event = compose(topic, record.value, source, view, record.timestamp ?? now);
      const routed = { index, event, key, expiresAt, priority, position: record };
      const list = rooms.get(room);
      if (list === undefined) rooms.set(room, [routed]);
      else list.push(routed);
    }
  }
  return { rooms, rejected: rejections };
}

/** The event's JSON as a room gets it: the source as it is, wherever nothing has to be left out. */
function compose(
  topic: Topic,
  value: unknown,
  source: ValueSource,
  view: Destination['view'],
  timestamp: number,
): string {
  if (view === 'whole' && isFitToSend(value, topic)) return source.text;
  const members = membersOf(source.text);
  if (!members.has('timestamp')) members.set('timestamp', String(timestamp));
  const metadata = members.get('metadata');
  if (metadata !== undefined) members.set('metadata', pick(metadata, METADATA_MEMBERS));
  if (view === 'tape') {
    members.delete('userId');
    members.set('data', pick(members.get('data') ?? '{}', TAPE_MEMBERS));
  }
  return encode(members, topic.members);
}

const METADATA_MEMBERS: ReadonlySet<string> = new Set(['priority', 'source', 'version']);

/** Whether a validated event has all that clients are sent, and nothing else. */
function isFitToSend(value: unknown, { members }: Topic): boolean {
  if (typeof value !== 'object' || value === null || !('timestamp' in value)) return false;
  return (
    hasOnly(value, members) && (!('metadata' in value) || hasOnly(value.metadata, METADATA_MEMBERS))
  );
}

function hasOnly(value: unknown, names: ReadonlySet<string>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (!names.has(name)) return false;
  return true;
}

/** An object's JSON text with no members but `names`, their values as they are. */
function pick(object: string, names: ReadonlySet<string>): string {
  return encode(membersOf(object), names);
}

function encode(members: ReadonlyMap<string, string>, names: ReadonlySet<string>): string {
  const parts: string[] = [];
  for (const name of names) {
    const text = members.get(name);
    if (text !== undefined) parts.push(`"${name}":${text}`);
  }
  return `{${parts.join()}}`;
}
