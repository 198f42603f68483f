/** A page of a room's log for who asks over HTTP, as JSON text: an event's digits stay as they are. */
import type { GapReason } from '../../protocol/frames.ts';
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';

/** A page is no longer than this, in characters, but for its first event. */
const PAGE_CHARACTERS = 1024 * 1024;

/** Where to begin. An epoch that is not the log's says that the number means nothing any more. */
export interface HistoryStart {
  readonly epoch: number | undefined;
  readonly seq: number;
}

/** @param start the oldest there is, unless given. */
export function readHistory(
  room: string,
  log: Pick<Log, 'epoch' | 'head' | 'floor' | 'trimmed' | 'isWholeFor' | 'entriesAfter' | 'expire'>,
  start: HistoryStart | undefined,
  limit: number,
  now: number,
): string {
  log.expire(now);
  const { epoch, head } = log;
  const missing = start === undefined ? undefined : whyNotAfter(log, start);
  // Behind the floor, where not all is left, there may be alerts that live longer than the others.
  const after = missing === 'epoch' ? log.trimmed : Math.max(start?.seq ?? 0, log.trimmed);
  const found = log.entriesAfter(after, now);
  const page = pageOf(found, limit);
  const isLast = page.length === found.length;
  // What expired at the end is behind the reader too.
  const seq = isLast ? head : (page.at(-1)?.seq ?? head);
  const gap =
    missing === undefined
      ? ''
      : `,"gap":${JSON.stringify({ from: start?.seq ?? 0, to: log.floor, reason: missing })}`;
  const events = page.map(({ text }) => text).join();
  return `{"room":${JSON.stringify(room)},"epoch":${epoch},"head":${head},"after":${after}${gap},"events":[${events}],"next":"${epoch}:${seq}","more":${!isLast}}`;
}

function whyNotAfter(
  log: Pick<Log, 'epoch' | 'head' | 'floor' | 'isWholeFor'>,
  { epoch = log.epoch, seq }: HistoryStart,
): GapReason | undefined {
  if ((epoch !== log.epoch && !log.isWholeFor(seq)) || seq > log.head) return 'epoch';
  return seq < log.floor ? 'trimmed' : undefined;
}

function pageOf(entries: readonly Entry[], limit: number): Entry[] {
  const page: Entry[] = [];
  let characters = 0;
  for (const entry of entries) {
    characters += entry.text.length;
    if (page.length === limit || (page.length > 0 && characters > PAGE_CHARACTERS)) break;
    page.push(entry);
  }
  return page;
}
