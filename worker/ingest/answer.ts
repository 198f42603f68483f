/** Composes the answer that the sender gets out of what the rooms have answered. */
import type { BatchAnswer, Rejection } from '../protocol/batch/batch.ts';
import type { HttpErrorCode } from '../protocol/codes.ts';
import type { RoomOutcome } from './append.ts';
import type { Routed } from './route.ts';

export type IngestAnswer =
  | {
      readonly kind: 'answered';
      readonly body: BatchAnswer;
      /** The rooms for which a topic counts its offsets from 0 again, and for how many records. */
      readonly renumbered: ReadonlyMap<string, number>;
    }
  /** Not every room has its events, so the batch is to be sent again. */
  | {
      readonly kind: 'failed';
      readonly code: HttpErrorCode;
      /** In seconds. */
      readonly retryAfter?: number;
    };

type Verdict = 'accepted' | 'duplicate' | 'rejected';

/** A record is a duplicate when every room that it goes to had it already. */
export function answerFor(
  recordCount: number,
  { rooms, rejected }: Routed,
  outcomes: ReadonlyMap<string, RoomOutcome>,
): IngestAnswer {
  const verdicts = new Array<Verdict | undefined>(recordCount);
  const rejections: Rejection[] = [...rejected];
  const renumbered = new Map<string, number>();
  for (const { index } of rejected) verdicts[index] = 'rejected';
  for (const [room, { records }] of rooms) {
    const outcome = outcomes.get(room);
    if (outcome === undefined) throw new Error(`${room} was not asked`);
    if (outcome.kind === 'failed') {
      return { kind: 'failed', code: 'room_unavailable', retryAfter: longestWait(outcomes) };
    }
    if (outcome.kind === 'busy') return { kind: 'failed', code: 'batch_too_frequent' };
    if (outcome.renumbered > 0) renumbered.set(room, outcome.renumbered);
    for (const rejection of outcome.rejected) {
      rejections.push(rejection);
      verdicts[rejection.index] = 'rejected';
    }
    const duplicates = new Set(outcome.duplicates);
    for (const [index] of records) {
      if (duplicates.has(index)) verdicts[index] ??= 'duplicate';
      else if (verdicts[index] !== 'rejected') verdicts[index] = 'accepted';
    }
  }
  const count = (wanted: Verdict) => verdicts.filter((verdict) => verdict === wanted).length;
  const body: BatchAnswer = {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: rejections.sort((a, b) => a.index - b.index),
  };
  return { kind: 'answered', body, renumbered };
}

/** The longest time that a room asks to wait, in seconds. */
function longestWait(outcomes: ReadonlyMap<string, RoomOutcome>): number {
  const waits = Array.from(outcomes.values(), (outcome) =>
    outcome.kind === 'failed' ? outcome.retryAfter : 0,
  );
  return Math.max(0, ...waits);
}
