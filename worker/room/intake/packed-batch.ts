/**
 * A room's batch as it travels from the Worker to the room's object: records as tuples, since
 * structured clone writes each key of each object. (With objects a call cost twice as much.)
 */
import type { Priority } from '../../protocol/events.ts';
import type { RoomBatch, RoomRecord } from './intake.ts';

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
  switch (batch.kind) {
    case 'webhook':
      return { ...batch, records: batch.records.map(packRecord) };
    case 'kafka':
      return {
        ...batch,
        records: batch.records.map((record) => {
          const { topic, partition, offset, timestamp } = record.position;
          return [...packRecord(record), topic, partition, offset, timestamp];
        }),
      };
  }
}

export function unpack(batch: PackedBatch): RoomBatch {
  switch (batch.kind) {
    case 'webhook':
      return { ...batch, records: batch.records.map(unpackRecord) };
    case 'kafka':
      return {
        ...batch,
        records: batch.records.map(([index, event, key, expiresAt, priority, ...position]) => {
          const [topic, partition, offset, timestamp] = position;
          return {
            ...unpackRecord([index, event, key, expiresAt, priority]),
            position: { topic, partition, offset, timestamp },
          };
        }),
      };
  }
}

function packRecord({ index, event, key, expiresAt, priority }: RoomRecord): PackedRecord {
  return [index, event, key, expiresAt, priority];
}

function unpackRecord([index, event, key, expiresAt, priority]: PackedRecord): RoomRecord {
  return { index, event, key, expiresAt, priority };
}
