/**
 * Takes a batch into the log: decides for each record whether it is new, and appends it. A record
 * that was here before is acknowledged and dropped, so a sender may retry anything at any time.
 */
import type { Rejection } from '../protocol/batch.ts';
import type { Priority } from '../protocol/events.ts';
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';
import type { Position, Positions } from './positions.ts';
import type { WebhookIds } from './webhook-ids.ts';

/** The records of one batch that are one room's: what the Worker passes to it. */
export type RoomBatch =
  | {
      readonly kind: 'kafka';
      /** Kafka's cluster id. */
      readonly source: string;
      readonly records: readonly PositionedRoomRecord[];
    }
  | {
      readonly kind: 'webhook';
      readonly webhookId: string;
      /** Unix ms after which a replay of the id is refused anyway. */
      readonly staleAt: number;
      readonly records: readonly RoomRecord[];
    };

export interface RoomRecord {
  /** Its place in the batch. */
  readonly index: number;
  /** JSON text, as clients see it. */
  readonly event: string;
  readonly key: string | undefined;
  readonly expiresAt: number | undefined;
  readonly priority: Priority;
}

export interface PositionedRoomRecord extends RoomRecord {
  readonly position: Position;
}

export type RoomAnswer =
  | {
      readonly kind: 'taken';
      /** Indexes of the records that were here before. */
      readonly duplicates: readonly number[];
      readonly rejected: readonly Rejection[];
      /** How many partitions were seen to count from 0 again. */
      readonly renumbered: number;
    }
  /** Nothing was taken; the batch is to be sent again later. */
  | { readonly kind: 'busy' };

export interface Taken {
  readonly answer: RoomAnswer;
  readonly entries: readonly Entry[];
}

export class Intake {
  readonly #log: Log;
  readonly #positions: Positions;
  readonly #webhookIds: WebhookIds;

  constructor(log: Log, positions: Positions, webhookIds: WebhookIds) {
    this.#log = log;
    this.#positions = positions;
    this.#webhookIds = webhookIds;
  }

  take(batch: RoomBatch, now: number): Taken {
    if (batch.kind === 'kafka') return this.#takeFromKafka(batch, now);
    if (this.#webhookIds.has(batch.webhookId)) {
      const duplicates = batch.records.map(({ index }) => index);
      return { answer: { kind: 'taken', duplicates, rejected: [], renumbered: 0 }, entries: [] };
    }
    if (!this.#webhookIds.add(batch.webhookId, batch.staleAt, now)) {
      return { answer: { kind: 'busy' }, entries: [] };
    }
    const entries: Entry[] = [];
    const rejected: Rejection[] = [];
    for (const record of batch.records) this.#append(record, now, entries, rejected);
    return { answer: { kind: 'taken', duplicates: [], rejected, renumbered: 0 }, entries };
  }

  #takeFromKafka(batch: RoomBatch & { kind: 'kafka' }, now: number): Taken {
    const entries: Entry[] = [];
    const rejected: Rejection[] = [];
    const duplicates: number[] = [];
    let renumbered = 0;
    for (const record of batch.records) {
      const judgement = this.#positions.judge(batch.source, record.position);
      if (judgement === 'duplicate') {
        duplicates.push(record.index);
        continue;
      }
      if (!this.#append(record, now, entries, rejected)) continue;
      if (judgement === 'renumbered') renumbered++;
      this.#positions.advance(batch.source, record.position);
    }
    return { answer: { kind: 'taken', duplicates, rejected, renumbered }, entries };
  }

  /** False when the event has expired: it is rejected, never sent. */
  #append(record: RoomRecord, now: number, entries: Entry[], rejected: Rejection[]): boolean {
    if (record.expiresAt !== undefined && record.expiresAt <= now) {
      const message = `expired at ${new Date(record.expiresAt).toISOString()}`;
      rejected.push({ index: record.index, code: 'event_expired', message });
      return false;
    }
    entries.push(this.#log.append(record, now));
    return true;
  }
}
