/** The frames a new member is sent, from `welcome` to where it stands at the head of the log. */
import {
  type Cursor,
  encodeEvents,
  encodeFrame,
  encodeSnapshot,
  PROTOCOL_VERSION,
} from '../protocol/frames.ts';
import { unreachable } from '../protocol/unreachable.ts';
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';

/** Frames are split here: a browser parses and paints in between. */
const FRAME_CHARACTERS = 256 * 1024;
/** The longest message that a room reads, in characters. */
export const MAX_MESSAGE_LENGTH = 4 * 1024;

/** Who joins, as the Worker has established it. */
export interface Joiner {
  readonly user: string | undefined;
  /** When the token ends, Unix ms. */
  readonly tokenExpiresAt: number | undefined;
  readonly since: Cursor | undefined;
}

export function joiningFrames(room: string, log: Log, joiner: Joiner, now: number): string[] {
  const { epoch, head } = log;
  const { user, tokenExpiresAt, since } = joiner;
  const welcome = encodeFrame({
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    ...(user === undefined ? {} : { user }),
    ...(tokenExpiresAt === undefined ? {} : { expiresAt: tokenExpiresAt }),
    limits: { messageLength: MAX_MESSAGE_LENGTH },
  });
  const subscribed = (recovered: boolean) =>
    encodeFrame({ type: 'subscribed', room, epoch, seq: head, recovered });
  const resume = log.resume(since, now);
  switch (resume.kind) {
    case 'replay':
      return [welcome, subscribed(true), ...eventsFrames(room, since?.seq ?? head, resume.entries)];
    case 'snapshot':
      return [welcome, subscribed(false), encodeSnapshot(room, epoch, head, join(resume.entries))];
    case 'gap': {
      const { reason } = resume;
      return [
        welcome,
        subscribed(false),
        encodeFrame({ type: 'gap', room, epoch, from: since?.seq ?? 0, to: head, reason }),
        encodeSnapshot(room, epoch, head, join(resume.entries)),
      ];
    }
    default:
      return unreachable(resume);
  }
}

/** `entries` as `events` frames of bounded size, the first of which joins on to `after`. */
export function eventsFrames(room: string, after: number, entries: readonly Entry[]): string[] {
  const frames: string[] = [];
  let cursor = after;
  let texts: string[] = [];
  let characters = 0;
  for (const { seq, text } of entries) {
    texts.push(text);
    characters += text.length;
    if (characters < FRAME_CHARACTERS) continue;
    frames.push(encodeEvents(room, cursor, texts.join()));
    cursor = seq;
    texts = [];
    characters = 0;
  }
  if (texts.length > 0) frames.push(encodeEvents(room, cursor, texts.join()));
  return frames;
}

function join(entries: readonly Entry[]): string {
  return entries.map(({ text }) => text).join();
}
