/** Room batches out of records that are easy to read. */
import type { Priority } from '../../worker/protocol/events/events.ts';
import type { Position } from '../../worker/room/intake/positions.ts';
import type {
  PositionedRoomRecord,
  RoomBatch,
  RoomRecord,
} from '../../worker/room/intake/room-batch.ts';

export interface SampleRecord {
  readonly index: number;
  readonly event: string;
  readonly key: string | undefined;
  readonly expiresAt: number | undefined;
  readonly priority: Priority;
}

export interface PositionedSampleRecord extends SampleRecord {
  readonly position: Position;
}

export function kafkaBatch(
  source: string,
  records: readonly PositionedSampleRecord[],
): RoomBatch & { readonly kind: 'kafka' } {
  return { kind: 'kafka', source, records: records.map(positionedRecord) };
}

export function webhookBatch(
  delivery: { readonly webhookId: string; readonly staleAt: number },
  records: readonly SampleRecord[],
): RoomBatch & { readonly kind: 'webhook' } {
  return { kind: 'webhook', ...delivery, records: records.map(roomRecord) };
}

/** The records of a batch as they are easy to read. */
export function sampleRecords(batch: RoomBatch): SampleRecord[] {
  return batch.records.map(([index, event, key, expiresAt, priority]) => ({
    index,
    event,
    key,
    expiresAt,
    priority,
  }));
}

function roomRecord({ index, event, key, expiresAt, priority }: SampleRecord): RoomRecord {
  return [index, event, key, expiresAt, priority];
}

function positionedRecord({ position, ...record }: PositionedSampleRecord): PositionedRoomRecord {
  const { topic, partition, offset, timestamp } = position;
  return [...roomRecord(record), topic, partition, offset, timestamp];
}
