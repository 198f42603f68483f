/**
 * Turns a batch into what each room gets of it: every record is judged by itself, and a copy of its event
 * is put under each room that it goes to.
 */

import type { PositionedBatch, Rejection, UnpositionedBatch } from '../protocol/batch/batch.ts';
import type { BatchReading } from '../protocol/batch/read-batch.ts';
import { admit } from '../protocol/events/admit.ts';
import type { JsonText } from '../protocol/json-text.ts';
import type { PositionedRoomRecord, RoomBatch, RoomRecord } from '../room/intake/room-batch.ts';
import type { Symbols } from '../symbols.ts';
import { compose } from './compose.ts';

export interface Routed {
  /** Each room's records, in the batch's order. */
  readonly rooms: ReadonlyMap<string, RoomBatch>;
  readonly rejected: readonly Rejection[];
}

/** How a batch without Kafka is known again. */
export type Delivery = Omit<
  RoomBatch & { readonly kind: 'webhook' },
  'kind' | 'receivedAt' | 'records'
>;

/**
 * Routes a batch of the bridge, whose records have a place in Kafka.
 *
 * @param now when the batch was received, Unix ms.
 */
export function routePositioned(
  { batch, values }: BatchReading & { readonly kind: 'kafka' },
  symbols: Symbols,
  now: number,
): Routed {
  const { source, sentAt } = batch;
  const place = (record: RoomRecord, item: PositionedBatch['records'][number]) =>
    [...record, item.topic, item.partition, item.offset, item.timestamp] as const;
  const { rooms, rejected } = route<PositionedBatch['records'][number], PositionedRoomRecord>(
    batch.records,
    values,
    place,
    symbols,
    now,
  );
  const delivery = { kind: 'kafka', source, sentAt, receivedAt: now } as const;
  return { rooms: mapValues(rooms, (records) => ({ ...delivery, records })), rejected };
}

/**
 * Routes a batch of a publisher without Kafka.
 *
 * @param now when the batch was received, Unix ms.
 */
export function routeUnpositioned(
  { batch, values }: BatchReading & { readonly kind: 'webhook' },
  delivery: Delivery,
  symbols: Symbols,
  now: number,
): Routed {
  const { rooms, rejected } = route<UnpositionedBatch['records'][number], RoomRecord>(
    batch.records,
    values,
    (record) => record,
    symbols,
    now,
  );
  return {
    rooms: mapValues(rooms, (records) => ({
      kind: 'webhook',
      ...delivery,
      receivedAt: now,
      records,
    })),
    rejected,
  };
}

type BatchRecord = PositionedBatch['records'][number] | UnpositionedBatch['records'][number];

/** @param values the text of each record's value, in the same order. */
function route<Item extends BatchRecord, Placed extends RoomRecord | PositionedRoomRecord>(
  records: readonly Item[],
  values: readonly JsonText[],
  place: (record: RoomRecord, item: Item) => Placed,
  symbols: Symbols,
  now: number,
): { readonly rooms: ReadonlyMap<string, readonly Placed[]>; readonly rejected: Rejection[] } {
  const rooms = new Map<string, Placed[]>();
  const rejected: Rejection[] = [];
  for (const [index, item] of records.entries()) {
    const json = values[index];
    if (json === undefined) throw new Error('a record has no text');
    const admission = admit(item.topic, item.value, json);
    if (admission.kind === 'rejected') {
      const { code, message } = admission;
      rejected.push({ index, code, message });
      continue;
    }
    const { topic, destinations, key, expiresAt, priority } = admission;
    if (!destinations.every(({ room }) => symbols.hasRoom(room))) {
      const message = 'the gateway has no such symbol';
      rejected.push({ index, code: 'symbol_unknown', message });
      continue;
    }
    for (const { room, view } of destinations) {
      // A record without a time of its own has 0.
      const event = compose(topic, item.value, json.text, view, item.timestamp || now);
      const record = place([index, event, key, expiresAt, priority], item);
      const list = rooms.get(room);
      if (list === undefined) rooms.set(room, [record]);
      else list.push(record);
    }
  }
  return { rooms, rejected };
}

function mapValues<Key, From, To>(
  map: ReadonlyMap<Key, From>,
  transform: (value: From) => To,
): Map<Key, To> {
  return new Map(Array.from(map, ([key, value]) => [key, transform(value)]));
}
