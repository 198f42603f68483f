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
 * A slice of this many characters is full, and the next entry begins another one. A client parses
 * and paints between two frames, and a window holds one.
 */
export const SLICE_CHARACTERS = 256 * 1024;

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

/** The state at `cursor`, which takes the place of whatever came before it. */
export interface StateSlice {
  readonly kind: 'state';
  readonly epoch: number;
  readonly cursor: number;
  readonly entries: readonly Entry[];
  /** What the member has missed; undefined for a new member. */
  readonly gap: { readonly from: number; readonly reason: GapReason } | undefined;
}

export type ReadableLog = ResumableLog &
  Pick<Log, 'conflatableFrom' | 'isKeyed' | 'entriesAfter' | 'latestAfter' | 'snapshot'>;

/**
 * The next slices for a member that does not stand with the others: a part of the tail; the latest
 * per key, if the log is keyed and the member is slow or has fallen off the tail; or a gap and the
 * state, when nothing else can be had. There are none when the member has everything.
 */
export function slicesAfter(
  log: ReadableLog,
  cursor: Cursor,
  conflate: boolean,
  now: number,
): Slice[] {
  const resume = resumeFrom(log, cursor);
  const isOfThisEpoch = cursor.epoch === log.epoch && cursor.seq <= log.head;
  const mayConflate = log.isKeyed && isOfThisEpoch && cursor.seq >= log.conflatableFrom;
  if (mayConflate && (conflate || resume.kind === 'gap')) return conflatedSlices(log, cursor.seq);
  if (resume.kind !== 'replay') return [stateSlice(log, resume, now)];
  const [first] = eventSlices(cursor.seq, log.entriesAfter(cursor.seq, now));
  return first === undefined ? [] : [first];
}

/** The state at the head, for a new member or one that is told of a gap. */
export function stateSlice(
  log: Pick<Log, 'epoch' | 'head' | 'snapshot'>,
  resume: Exclude<ReturnType<typeof resumeFrom>, { kind: 'replay' }>,
  now: number,
): StateSlice {
  return {
    kind: 'state',
    epoch: log.epoch,
    cursor: log.head,
    entries: log.snapshot(now),
    gap: resume.kind === 'gap' ? { from: resume.from, reason: resume.reason } : undefined,
  };
}

/** `entries`, which are all that is owed after `after`, in slices of bounded size. */
export function eventSlices(after: number, entries: readonly Entry[]): EventsSlice[] {
  return split(entries).map((part, index, parts) => ({
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

function split(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let characters = 0;
  for (const entry of entries) {
    part.push(entry);
    characters += entry.text.length;
    if (characters < SLICE_CHARACTERS) continue;
    parts.push(part);
    part = [];
    characters = 0;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
