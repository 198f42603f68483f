/**
 * Appends a batch to the log: it decides for each record whether it is new. A record that was here
 * before is acknowledged and dropped, so a sender may retry anything at any time.
 */

import type { Rejection } from '../../protocol/batch/batch.ts';
import { judgeExpiry } from '../../protocol/events/admit.ts';
import type { Priority } from '../../protocol/events/events.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import type { BatchTimes } from '../log/times.ts';
import type { Positions } from './positions.ts';
import type { RoomBatch, RoomRecord } from './room-batch.ts';
import type { WebhookIds } from './webhook-ids.ts';

export type RoomAnswer =
  | {
      readonly kind: 'taken';
      /** Indexes of the records that were here before. */
      readonly duplicates: readonly number[];
      readonly rejected: readonly Rejection[];
      /** How many records showed that their partition counts from 0 again. */
      readonly renumbered: number;
    }
  /** Nothing was appended; the batch is to be sent again later. */
  | { readonly kind: 'busy' };

/** What a batch has changed. */
export interface BatchOutcome {
  readonly answer: RoomAnswer;
  readonly entries: readonly Entry[];
  /** The priority of each entry. */
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

  append(batch: RoomBatch, now: number): BatchOutcome {
    if (batch.kind === 'kafka') return this.#appendFromKafka(batch, now);
    const { webhookId, staleAt, receivedAt, records } = batch;
    const seen = this.#webhookIds.note(webhookId, staleAt, now);
    switch (seen) {
      case 'full':
        return { answer: { kind: 'busy' }, entries: [], priorities: [], changed: false };
      case 'known':
      case 'prolonged': {
        const duplicates = records.map(([index]) => index);
        const answer = { kind: 'taken', duplicates, rejected: [], renumbered: 0 } as const;
        return { answer, entries: [], priorities: [], changed: seen === 'prolonged' };
      }
      case 'new': {
        const appended: Appended = { entries: [], priorities: [], rejected: [] };
        const times = { bridge: undefined, worker: receivedAt, room: now };
        for (const record of records) {
          this.#appendRecord(record, undefined, times, appended);
        }
        const { rejected } = appended;
        const answer = { kind: 'taken', duplicates: [], rejected, renumbered: 0 } as const;
        return { answer, ...appended, changed: true };
      }
      default:
        return unreachable(seen);
    }
  }

  #appendFromKafka(batch: RoomBatch & { kind: 'kafka' }, now: number): BatchOutcome {
    const appended: Appended = { entries: [], priorities: [], rejected: [] };
    const duplicates: number[] = [];
    let renumbered = 0;
    const times = { bridge: batch.sentAt, worker: batch.receivedAt, room: now };
    for (const [index, event, key, expiresAt, priority, ...place] of batch.records) {
      const [topic, partition, offset, timestamp] = place;
      const position = { topic, partition, offset, timestamp };
      const judgement = this.#positions.judge(batch.source, position);
      if (judgement === 'duplicate') {
        duplicates.push(index);
        continue;
      }
      const record: RoomRecord = [index, event, key, expiresAt, priority];
      // A record without a time of its own has 0.
      if (!this.#appendRecord(record, timestamp || undefined, times, appended)) continue;
      if (judgement === 'renumbered') renumbered++;
      this.#positions.advance(batch.source, position);
    }
    const { entries, priorities, rejected } = appended;
    const answer = { kind: 'taken', duplicates, rejected, renumbered } as const;
    return { answer, entries, priorities, changed: entries.length > 0 };
  }

  /** False when the event has expired: then it is rejected, and never sent. */
  #appendRecord(
    [index, event, key, expiresAt, priority]: RoomRecord,
    kafkaAt: number | undefined,
    batchTimes: BatchTimes,
    appended: Appended,
  ): boolean {
    const now = batchTimes.room;
    const expired = judgeExpiry(expiresAt, now);
    if (expired !== undefined) {
      const { code, message } = expired;
      appended.rejected.push({ index, code, message });
      return false;
    }
    const newEvent = { event, key, expiresAt, kafkaAt, batchTimes };
    appended.entries.push(this.#log.append(newEvent, now));
    appended.priorities.push(priority);
    return true;
  }
}

interface Appended {
  readonly entries: Entry[];
  readonly priorities: Priority[];
  readonly rejected: Rejection[];
}
