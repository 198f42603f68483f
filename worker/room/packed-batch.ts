/**
 * A room's batch as it travels from the Worker to the room's object: records as tuples, since
 * structured clone writes each key of each object. (With objects a call cost twice as much.)
 */
import type { Priority } from '../protocol/events.ts';
import type { RoomBatch } from './intake.ts';

export type PackedRecord = readonly [
  index: number,
  event: string,
  key: string | undefined,
  expiresAt: number | undefined,
  priority: Priority,
];

export type PackedPositionedRecord = readonly [
  ...PackedRecord,
  topic: string,
  partition: number,
  offset: number,
  timestamp: number,
];

export type PackedBatch =
  | {
      readonly kind: 'kafka';
      readonly source: string;
      readonly records: readonly PackedPositionedRecord[];
    }
  | {
      readonly kind: 'webhook';
      readonly webhookId: string;
      readonly staleAt: number;
      readonly records: readonly PackedRecord[];
    };

export function pack(batch: RoomBatch): PackedBatch {
  if (batch.kind === 'webhook') {
    const { kind, webhookId, staleAt, records } = batch;
    return {
      kind,
      webhookId,
      staleAt,
      records: records.map((r) => [r.index, r.event, r.key, r.expiresAt, r.priority]),
    };
  }
  const { kind, source, records } = batch;
  return {
    kind,
    source,
    records: records.map(({ index, event, key, expiresAt, priority, position }) => {
      const { topic, partition, offset, timestamp } = position;
      return [index, event, key, expiresAt, priority, topic, partition, offset, timestamp];
    }),
  };
}

export function unpack(batch: PackedBatch): RoomBatch {
  if (batch.kind === 'webhook') {
    const { kind, webhookId, staleAt, records } = batch;
    return {
      kind,
      webhookId,
      staleAt,
      records: records.map(([index, event, key, expiresAt, priority]) => ({
        index,
        event,
        key,
        expiresAt,
        priority,
      })),
    };
  }
  const { kind, source, records } = batch;
  return {
    kind,
    source,
    records: records.map(
      ([index, event, key, expiresAt, priority, topic, partition, offset, timestamp]) => ({
        index,
        event,
        key,
        expiresAt,
        priority,
        position: { topic, partition, offset, timestamp },
      }),
    ),
  };
}
