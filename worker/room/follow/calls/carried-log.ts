/** A log on its way from one object to another. */
import type { Cursor } from '../../../protocol/frames.ts';
import { inSlices } from '../../delivery/slice.ts';
import { decodeEntries, encodeTimedEntries } from '../../log/entry.ts';
import type { Log, SavedLog } from '../../log/log.ts';
import type { CarriedLog } from './objects.ts';

export function carry(log: Log): CarriedLog {
  const { epoch, head, floor, trimmed, conflatableFrom, isUnbroken } = log;
  const parts = inSlices(log.kept).map(encodeTimedEntries);
  return { epoch, head, floor, trimmed, conflatableFrom, isUnbroken, parts };
}

/** The inverse of `carry`. */
export function unpack({ parts, ...log }: CarriedLog): SavedLog {
  return { ...log, entries: parts.flatMap(decodeEntries) };
}

/**
 * What a mirror knows that has slept, or was never filled: where it stands, and no entry.
 *
 * @param floor after which all had expired by then.
 */
export function logAt({ epoch, seq }: Cursor = { epoch: 0, seq: 0 }, floor = seq): SavedLog {
  return {
    epoch,
    head: seq,
    floor,
    trimmed: floor,
    conflatableFrom: seq,
    entries: [],
    isUnbroken: false,
  };
}

/** The least number after which nothing is left in a log that somebody could miss. */
export function nothingAfter(
  { entries, floor }: Pick<Log, 'entries' | 'floor'>,
  now: number,
): number {
  const newest = entries.findLast(({ perishable, expiresAt }) => !perishable || expiresAt > now);
  return Math.max(floor, newest?.seq ?? 0);
}
