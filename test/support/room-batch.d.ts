/** Room batches out of records that are easy to read. */
import type { Priority } from '../../worker/protocol/events.ts';
import type { Position } from '../../worker/room/intake/positions.ts';
import type { RoomBatch } from '../../worker/room/intake/room-batch.ts';
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
export declare function kafkaBatch(
  source: string,
  records: readonly PositionedSampleRecord[],
): RoomBatch & {
  readonly kind: 'kafka';
};
export declare function webhookBatch(
  delivery: {
    readonly webhookId: string;
    readonly staleAt: number;
  },
  records: readonly SampleRecord[],
): RoomBatch & {
  readonly kind: 'webhook';
};
/** The records of a batch as they are easy to read. */
export declare function sampleRecords(batch: RoomBatch): SampleRecord[];
