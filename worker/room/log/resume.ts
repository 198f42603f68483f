/**
 * How a reader goes on from a place in a log: the one decision for a socket that comes back, for a
 * page of history, and for a member that has lagged behind.
 */
import type { Cursor, GapReason } from '../../protocol/frames.ts';
import type { Log } from './log.ts';

/** What the decision needs to know of a log. */
export type ResumableLog = Pick<Log, 'epoch' | 'head' | 'floor' | 'isUnbroken' | 'isMirror'>;

/** A place whose epoch may be unknown: then only its number counts. */
export interface Place {
  readonly epoch: number | undefined;
  readonly seq: number;
}

export type Resume =
  /** Everything that followed `from` can be given. */
  | { readonly kind: 'replay'; readonly from: number }
  /** The reader is new and is sent the state at the head. */
  | { readonly kind: 'snapshot' }
  /** Something after `from` cannot be given any more. */
  | { readonly kind: 'gap'; readonly from: number; readonly reason: GapReason };

/** Decides for a reader that stands at `since`; a new reader has none. */
export function resumeFrom(log: ResumableLog, since: Cursor | undefined): Resume {
  if (since === undefined) return { kind: 'snapshot' };
  const from = since.seq;
  const reason = whyIncomplete(log, since);
  return reason === undefined ? { kind: 'replay', from } : { kind: 'gap', from, reason };
}

/** Why a log cannot give everything that followed `place`; undefined when it can. */
export function whyIncomplete(
  log: ResumableLog,
  { epoch = log.epoch, seq }: Place,
): GapReason | undefined {
  const isOther = epoch !== log.epoch && !hasMissedNothing(log, seq);
  if (isOther || (seq > log.head && !log.isMirror)) return 'epoch';
  return seq < log.floor ? 'trimmed' : undefined;
}

/**
 * Whether a reader of another epoch has missed nothing of this one. A log that has never had an event
 * has no epoch of its own: each time that its object wakes it is another one. So a reader that was told
 * one of these, and stands at 0, has missed nothing, unless events were lost under another epoch.
 */
function hasMissedNothing({ isUnbroken, floor }: ResumableLog, seq: number): boolean {
  return isUnbroken && seq === 0 && floor === 0;
}
