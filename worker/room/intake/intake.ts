/**
 * Takes a batch into the log: decides for each record whether it is new, and appends it. A record
 * that was here before is acknowledged and dropped, so a sender may retry anything at any time.
 */

import { judgeExpiry } from '../../protocol/admit.ts';
import type { Rejection } from '../../protocol/batch.ts';
import type { Priority } from '../../protocol/events.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
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
      /** A fingerprint of the publisher's secret and its `webhook-id`. */
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
      /** How many records showed that their partition counts from 0 again. */
      readonly renumbered: number;
    }
  /** Nothing was taken; the batch is to be sent again later. */
  | { readonly kind: 'busy' };

export interface Taken {
  readonly answer: RoomAnswer;
  readonly entries: readonly Entry[];
  /** Of each entry. */
  readonly priorities: readonly Priority[];
  /** Whether there is something to save. */
  readonly changed: boolean;
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
    const { webhookId, staleAt, records } = batch;
    const seen = this.#webhookIds.note(webhookId, staleAt, now);
    switch (seen) {
      case 'full':
        return { answer: { kind: 'busy' }, entries: [], priorities: [], changed: false };
      case 'known':
      case 'prolonged': {
        const duplicates = records.map(({ index }) => index);
        const answer = { kind: 'taken', duplicates, rejected: [], renumbered: 0 } as const;
        return { answer, entries: [], priorities: [], changed: seen === 'prolonged' };
      }
      case 'new': {
        const appended: Appended = { entries: [], priorities: [], rejected: [] };
        for (const record of records) this.#append(record, now, appended);
        const { rejected } = appended;
        const answer = { kind: 'taken', duplicates: [], rejected, renumbered: 0 } as const;
        return { answer, ...appended, changed: true };
      }
      default:
        return unreachable(seen);
    }
  }

  #takeFromKafka(batch: RoomBatch & { kind: 'kafka' }, now: number): Taken {
    const appended: Appended = { entries: [], priorities: [], rejected: [] };
    const duplicates: number[] = [];
    let renumbered = 0;
    for (const record of batch.records) {
      const judgement = this.#positions.judge(batch.source, record.position);
      if (judgement === 'duplicate') {
        duplicates.push(record.index);
        continue;
      }
      if (!this.#append(record, now, appended)) continue;
      if (judgement === 'renumbered') renumbered++;
      this.#positions.advance(batch.source, record.position);
    }
    const { entries, priorities, rejected } = appended;
    const answer = { kind: 'taken', duplicates, rejected, renumbered } as const;
    return { answer, entries, priorities, changed: entries.length > 0 };
  }

  /** False when the event has expired: it is rejected, never sent. */
  #append(record: RoomRecord, now: number, appended: Appended): boolean {
    const expired = judgeExpiry(record.expiresAt, now);
    if (expired !== undefined) {
      const { code, message } = expired;
      appended.rejected.push({ index: record.index, code, message });
      return false;
    }
    appended.entries.push(this.#log.append(record, now));
    appended.priorities.push(record.priority);
    return true;
  }
}

interface Appended {
  readonly entries: Entry[];
  readonly priorities: Priority[];
  readonly rejected: Rejection[];
}
