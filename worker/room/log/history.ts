/** A page of a room's log for a reader over HTTP. It is JSON text, so that an event's digits stay as they are. */
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';
import { type Place, type ResumableLog, whyIncomplete } from './resume.ts';

/** The longest page, in characters; only its first event may make it longer. */
const PAGE_CHARACTERS = 1024 * 1024;

/** @param start where the page begins; without it the page begins with the oldest entry. */
export function readHistory(
  room: string,
  log: ResumableLog & Pick<Log, 'trimmed' | 'entriesAfter' | 'expire'>,
  start: Place | undefined,
  limit: number,
  now: number,
): string {
  log.expire(now);
  const { epoch, head } = log;
  const missing = start === undefined ? undefined : whyIncomplete(log, start);
  // Before the floor not everything is left, but alerts that live longer than others may be.
  const after = missing === 'epoch' ? log.trimmed : Math.max(start?.seq ?? 0, log.trimmed);
  const found = log.entriesAfter(after, now);
  const page = pageOf(found, limit);
  const isLast = page.length === found.length;
  // The reader is past the entries at the end that have expired, too.
  const seq = isLast ? head : (page.at(-1)?.seq ?? head);
  const gap =
    missing === undefined
      ? ''
      : `,"gap":${JSON.stringify({ from: start?.seq ?? 0, to: log.floor, reason: missing })}`;
  const events = page.map(({ text }) => text).join();
  return `{"room":${JSON.stringify(room)},"epoch":${epoch},"head":${head},"after":${after}${gap},"events":[${events}],"next":"${epoch}:${seq}","more":${!isLast}}`;
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
