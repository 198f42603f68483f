/** A log on its way from one object to another. */
import type { Cursor } from '../../protocol/frames.ts';
import { decodeEntries, type Entry, encodeEntries } from '../log/entry.ts';
import type { Log, SavedLog } from '../log/log.ts';
import type { CarriedLog } from './calls.ts';

/** A part has at most so many characters, unless a single entry has more. */
const PART_CHARACTERS = 256 * 1024;

export function carry(log: Log): CarriedLog {
  const { epoch, head, floor, trimmed, conflatableFrom, isUnbroken } = log;
  const parts = inParts(log.kept).map(encodeEntries);
  return { epoch, head, floor, trimmed, conflatableFrom, isUnbroken, parts };
}

/** The inverse of `carry`. */
export function unpack({ parts, ...log }: CarriedLog): SavedLog {
  return { ...log, entries: parts.flatMap(decodeEntries) };
}

/** What a mirror knows that has slept, or was never filled: where it stands, and no entry. */
export function logAt(cursor: Cursor = { epoch: 0, seq: 0 }): SavedLog {
  const { epoch, seq } = cursor;
  return {
    epoch,
    head: seq,
    floor: seq,
    trimmed: seq,
    conflatableFrom: seq,
    entries: [],
    isUnbroken: false,
  };
}

function inParts(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let characters = 0;
  for (const entry of entries) {
    if (part.length > 0 && characters + entry.text.length > PART_CHARACTERS) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(entry);
    characters += entry.text.length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
