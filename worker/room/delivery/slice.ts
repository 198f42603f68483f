/**
 * What a member is given next. It is decided here, purely, from the log and the member's cursor, as
 * slices of entries; frames are made from them later. This is the one place that moves a cursor
 * forward, so it is the one place that could lose something.
 */
import type { Cursor, GapReason } from '../../protocol/frames.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import { type ResumableLog, resumeFrom } from '../log/resume.ts';

/**
 * A slice has at most so many characters, unless a single entry has more. A client parses and paints
 * between two frames, and a window holds one.
 */
export const SLICE_CHARACTERS = 256 * 1024;
/** The longest frame, in characters: a full slice, or the largest event with what stands around it. */
export const MAX_FRAME_CHARACTERS = SLICE_CHARACTERS + 2_048;
/**
 * A part of a state has at most so many characters, unless a single entry has more. With what stands
 * around it, it is a frame of less than 32 KiB, which every client's library takes. A client that joins
 * and does not read is given one part, so this is what 2,000 of them may cost an object.
 */
const STATE_PART_CHARACTERS = 31 * 1024;

/** What a member takes whole or not at all. `cursor` is where the member stands when it has it. */
export type Slice = EventsSlice | StateSlice;

/** Every entry of `(after, cursor]` that is still owed. */
export interface EventsSlice {
  readonly kind: 'events';
  readonly after: number;
  readonly cursor: number;
  readonly entries: readonly Entry[];
  /** How many entries were left out because a newer one of their key is there. */
  readonly conflated: number;
}

/**
 * A part of the state at `head`, whose parts together take the place of whatever came before. The
 * member stands at `cursor` within the state when it has this part, and at `head` when it has all.
 */
export interface StateSlice {
  readonly kind: 'state';
  readonly epoch: number;
  readonly head: number;
  readonly cursor: number;
  readonly entries: readonly Entry[];
  /** What the member has missed, with the first part; undefined for a new member. */
  readonly gap: Missed | undefined;
}

export interface Missed {
  readonly from: number;
  readonly reason: GapReason;
}

export type ReadableLog = ResumableLog &
  Pick<Log, 'conflatableFrom' | 'isKeyed' | 'entriesAfter' | 'latestAfter'>;

/**
 * What comes next for a member that does not stand with the others: a part of the tail; the latest
 * per key, if the log is keyed and the member is slow or has fallen off the tail; or a gap, when
 * nothing else can be had, which the state follows. There are no slices when the member has everything.
 */
export function slicesAfter(
  log: ReadableLog,
  cursor: Cursor,
  conflate: boolean,
  now: number,
): EventsSlice[] | Missed {
  const resume = resumeFrom(log, cursor);
  const isOfThisEpoch = cursor.epoch === log.epoch && cursor.seq <= log.head;
  const mayConflate = log.isKeyed && isOfThisEpoch && cursor.seq >= log.conflatableFrom;
  if (mayConflate && (conflate || resume.kind === 'gap')) return conflatedSlices(log, cursor.seq);
  if (resume.kind === 'gap') return { from: resume.from, reason: resume.reason };
  const [first] = eventSlices(cursor.seq, log.entriesAfter(cursor.seq, now));
  return first === undefined ? [] : [first];
}

/** A part of the state at `head`: what is left of it in the log after `cursor`. */
export function statePart(
  log: Pick<Log, 'epoch' | 'stateAfter'>,
  { head, cursor }: { readonly head: number; readonly cursor: number },
  now: number,
): StateSlice {
  const entries: Entry[] = [];
  let reached = cursor;
  let characters = 0;
  for (const entry of log.stateAfter(cursor, now)) {
    const { seq, text } = entry;
    if (seq > head) break;
    characters += text.length + 1;
    if (entries.length > 0 && characters > STATE_PART_CHARACTERS) {
      return { kind: 'state', epoch: log.epoch, head, cursor: reached, entries, gap: undefined };
    }
    entries.push(entry);
    reached = seq;
  }
  return { kind: 'state', epoch: log.epoch, head, cursor: head, entries, gap: undefined };
}

/** `entries`, which are all that is owed after `after`, in slices of bounded size. */
export function eventSlices(after: number, entries: readonly Entry[]): EventsSlice[] {
  return inSlices(entries).map((part, index, parts) => ({
    kind: 'events',
    after: parts[index - 1]?.at(-1)?.seq ?? after,
    cursor: part.at(-1)?.seq ?? after,
    entries: part,
    conflated: 0,
  }));
}

/** The latest entry of each key that changed after `after`. */
function conflatedSlices(log: Pick<Log, 'latestAfter'>, after: number): EventsSlice[] {
  return eventSlices(after, log.latestAfter(after)).map((slice) => ({
    ...slice,
    conflated: slice.cursor - slice.after - slice.entries.length,
  }));
}

/** Parts of a slice's size, with the commas between entries, or of a single entry. */
export function inSlices(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let characters = 0;
  for (const entry of entries) {
    const { length } = entry.text;
    if (part.length > 0 && characters + length > SLICE_CHARACTERS) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(entry);
    characters += length + 1;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
