/** The frames a new member is sent, from `welcome` to where its cursor stands. */
import { type Cursor, encodeFrame, PROTOCOL_VERSION } from '../../protocol/frames.ts';
import { MAX_MESSAGE_LENGTH, type MaxRate } from '../../protocol/messages.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import { snapshotFrame } from '../delivery/serving.ts';
import type { Log } from '../log/log.ts';
import { WINDOW_CHARACTERS } from './in-flight.ts';

/** Who joins, as the Worker has established it. */
export interface Joiner {
  readonly user: string | undefined;
  /** When the token ends, Unix ms. */
  readonly tokenExpiresAt: number | undefined;
  readonly since: Cursor | undefined;
  readonly maxRate: MaxRate | undefined;
}

/** What a member is sent when it subscribes, and where it then stands. */
export interface Joining {
  readonly frames: readonly string[];
  readonly cursor: number;
}

export function welcomeFrame({
  user,
  tokenExpiresAt,
}: Pick<Joiner, 'user' | 'tokenExpiresAt'>): string {
  return encodeFrame({
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    ...(user === undefined ? {} : { user }),
    ...(tokenExpiresAt === undefined ? {} : { expiresAt: tokenExpiresAt }),
    limits: { messageLength: MAX_MESSAGE_LENGTH, window: WINDOW_CHARACTERS },
  });
}

/** @param id of the request, when it had one. */
export function joinLog(
  room: string,
  log: Pick<Log, 'epoch' | 'head' | 'resume' | 'snapshot'>,
  since: Cursor | undefined,
  id: string | undefined,
  now: number,
): Joining {
  const { epoch, head } = log;
  const subscribed = (recovered: boolean) =>
    encodeFrame({
      type: 'subscribed',
      ...(id === undefined ? {} : { id }),
      room,
      epoch,
      seq: head,
      recovered,
    });
  const resume = log.resume(since, now);
  switch (resume.kind) {
    case 'replay':
      return { frames: [subscribed(true)], cursor: resume.from };
    case 'snapshot':
      return { frames: [subscribed(false), snapshotFrame(room, log, now)], cursor: head };
    case 'gap': {
      const { reason, from } = resume;
      const gap = encodeFrame({ type: 'gap', room, epoch, from, to: head, reason });
      return {
        frames: [subscribed(false), gap, snapshotFrame(room, log, now)],
        cursor: head,
      };
    }
    default:
      return unreachable(resume);
  }
}
