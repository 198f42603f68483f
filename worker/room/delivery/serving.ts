/**
 * What a member at a cursor is to be sent next: decided purely, from the log. The one place that
 * moves a cursor, so the one place that could lose something.
 */
import { encodeEvents, encodeFrame, encodeSnapshot } from '../../protocol/frames.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';

/** Frames are split here: a browser parses and paints in between, and a window holds one. */
export const FRAME_CHARACTERS = 256 * 1024;

/** What is sent whole or not at all, and where a member stands then. */
export interface Slice {
  readonly frames: readonly string[];
  readonly cursor: number;
}

export interface Serving {
  readonly slices: readonly Slice[];
  /** Where the member stands once it has them. */
  readonly cursor: number;
  /** How many events were left out for newer ones of their key. */
  readonly conflated: number;
  readonly gap: boolean;
}

/** What of a log serving needs. */
export type ReadableLog = Pick<
  Log,
  | 'epoch'
  | 'head'
  | 'floor'
  | 'conflatableFrom'
  | 'isKeyed'
  | 'entriesAfter'
  | 'latestAfter'
  | 'snapshot'
>;

/**
 * The next slice for a member that lags: one frame of the tail, or the latest per key if it is slow
 * and the room is keyed, or a gap and the snapshot when neither can be had.
 */
export function serveLaggard(
  room: string,
  log: ReadableLog,
  cursor: number,
  conflate: boolean,
  now: number,
): Serving {
  const isComplete = cursor >= log.floor;
  if (log.isKeyed && (conflate || !isComplete) && cursor >= log.conflatableFrom) {
    return serveConflated(room, log, cursor);
  }
  if (!isComplete) return serveGap(room, log, cursor, now);
  const slice: Entry[] = [];
  let characters = 0;
  for (const entry of log.entriesAfter(cursor, now)) {
    slice.push(entry);
    characters += entry.text.length;
    if (characters >= FRAME_CHARACTERS) break;
  }
  return serveEntries(room, cursor, slice);
}

/** The latest event of each key that changed since `cursor`. */
export function serveConflated(room: string, log: ReadableLog, cursor: number): Serving {
  const latest = log.latestAfter(cursor);
  const serving = serveEntries(room, cursor, latest);
  return { ...serving, conflated: serving.cursor - cursor - latest.length };
}

/** `entries`, all of those after `cursor`, in frames of bounded size. */
export function serveEntries(room: string, cursor: number, entries: readonly Entry[]): Serving {
  const slices: Slice[] = [];
  let after = cursor;
  let texts: string[] = [];
  let characters = 0;
  for (const { seq, text } of entries) {
    texts.push(text);
    characters += text.length;
    if (characters < FRAME_CHARACTERS) continue;
    slices.push({ frames: [encodeEvents(room, after, texts.join())], cursor: seq });
    after = seq;
    texts = [];
    characters = 0;
  }
  const end = entries.at(-1)?.seq ?? cursor;
  if (texts.length > 0) {
    slices.push({ frames: [encodeEvents(room, after, texts.join())], cursor: end });
  }
  return { slices, cursor: end, conflated: 0, gap: false };
}

function serveGap(room: string, log: ReadableLog, cursor: number, now: number): Serving {
  const { epoch, head } = log;
  const gap = { type: 'gap', room, epoch, from: cursor, to: head, reason: 'trimmed' } as const;
  const frames = [encodeFrame(gap), snapshotFrame(room, log, now)];
  return { slices: [{ frames, cursor: head }], cursor: head, conflated: 0, gap: true };
}

export function snapshotFrame(
  room: string,
  log: Pick<Log, 'epoch' | 'head' | 'snapshot'>,
  now: number,
): string {
  const entries = log.snapshot(now).map(({ text }) => text);
  return encodeSnapshot(room, log.epoch, log.head, entries.join());
}
