/**
 * What survives hibernation with a socket. A subscription stands at the saved head of its log, unless
 * the attachment holds a cursor.
 */
import type { MaxRate } from '../../protocol/messages.ts';
import type { Session } from './session.ts';
import type { ReadChannel } from './subscription.ts';
import type { SavedSent } from './window.ts';

export interface Attachment {
  /** The epoch that the client was told, for a room that has nothing saved. */
  readonly epoch: number;
  readonly user: string | undefined;
  /** Unix ms; undefined for an anonymous session. */
  readonly tokenExpiresAt: number | undefined;
  readonly maxRate: MaxRate | undefined;
  /** Whether the client has ever acked anything. */
  readonly acks: boolean;
  /** Whether it is subscribed to the room. A socket that is not is only held. */
  readonly subscribed: boolean;
  /** Whether it is being shown the state, which a wake begins anew. */
  readonly joins: boolean;
  /** The number of a laggard, and of a member that was not sent the newest entries. */
  readonly cursor: number | undefined;
  /** What is on its way to a client that acks, if it lags or its window is full. */
  readonly inFlight: readonly SavedSent[] | undefined;
}

/** Whether an attachment says where its session stands, so that it is wrong once something was sent. */
export function holdsPlace({ joins, cursor, inFlight = [] }: Attachment): boolean {
  return joins || cursor !== undefined || inFlight.length > 0;
}

/** What a wake must know of a session on the object of `channel`'s room. */
export function attachmentOf(session: Session, channel: ReadChannel): Attachment {
  const { output, identity } = session;
  const member = session.subscriptions.get(channel.room)?.member;
  const place = member && channel.placeOf(member);
  const savesInFlight = output.acks && (place !== undefined || output.isWindowFull);
  return {
    epoch: place?.epoch ?? channel.log.epoch,
    user: identity.user,
    tokenExpiresAt: identity.tokenExpiresAt,
    maxRate: member?.maxRate,
    acks: output.acks,
    subscribed: member !== undefined,
    joins: member !== undefined && member.state.kind !== 'current' && place === undefined,
    cursor: place?.seq,
    inFlight: savesInFlight ? output.saveInFlight(channel.room) : undefined,
  };
}

/** Gives a session that slept its subscription back. */
export function restoreSession(
  session: Session,
  channel: ReadChannel,
  attachment: Attachment,
  now: number,
): void {
  const { epoch, maxRate, acks, subscribed, joins, cursor, inFlight = [] } = attachment;
  session.remembersPlace = holdsPlace(attachment);
  session.output.restore(acks, channel.room, inFlight);
  if (!subscribed) return;
  if (joins) session.subscribe(channel, { maxRate }, now);
  else if (epoch === channel.log.epoch) {
    session.resume(
      channel,
      maxRate,
      cursor === undefined ? undefined : { epoch, seq: cursor },
      now,
    );
  } else {
    // An epoch ends with its sockets, but nothing is lost by not relying on that.
    session.subscribe(channel, { since: { epoch, seq: cursor ?? 0 }, maxRate }, now);
  }
}
