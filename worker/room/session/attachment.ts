/**
 * What survives hibernation with a socket. A subscription stands at the saved head of its log, unless
 * the attachment holds a cursor.
 */
import type { Cursor, RequestId } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Session } from './session.ts';
import type { ReadChannel, Subscription } from './subscription.ts';
import type { SavedSent } from './window.ts';

export interface Attachment {
  /** The epoch of the object's own room, which has nothing saved before its first event. */
  readonly epoch: number;
  readonly user: string | undefined;
  /** Unix ms; undefined for an anonymous session. */
  readonly tokenExpiresAt: number | undefined;
  /** Whether the client has ever acked anything. */
  readonly acks: boolean;
  /** What it is subscribed to. A socket without any subscription is only held. */
  readonly subscriptions: readonly SavedSubscription[];
  /** What is on its way to a client that acks, if it lags or its window is full. */
  readonly inFlight: readonly SavedSent[] | undefined;
}

export interface SavedSubscription {
  readonly room: string;
  /** The epoch that the client was told. */
  readonly epoch: number;
  readonly maxRate: MaxRate | undefined;
  /** Whether it waits, or is being shown the state, which a wake begins anew. */
  readonly joins: boolean;
  /** Where it stood when it asked to be a member, if it still waits. */
  readonly since: Cursor | undefined;
  /** What its answer is to name, if it still waits. */
  readonly id: RequestId | undefined;
  /** The number of a laggard, and of a member that does not stand at the head. */
  readonly cursor: number | undefined;
}

/** Whether an attachment says where its session stands, so that it is wrong once something was sent. */
export function holdsPlace({ subscriptions, inFlight = [] }: Attachment): boolean {
  return inFlight.length > 0 || subscriptions.some(hasPlace);
}

/** What a wake must know of a session on an object whose own room is in `epoch`. */
export function attachmentOf(session: Session, epoch: number): Attachment {
  const { output, identity } = session;
  const subscriptions = [...session.subscriptions.values()].map(savedSubscription);
  const savesInFlight = output.acks && (output.isWindowFull || subscriptions.some(hasPlace));
  return {
    epoch,
    user: identity.user,
    tokenExpiresAt: identity.tokenExpiresAt,
    acks: output.acks,
    subscriptions,
    inFlight: savesInFlight ? output.saveInFlight() : undefined,
  };
}

/** Gives a session that slept its subscriptions back. */
export function restoreSession(
  session: Session,
  channelOf: (room: string) => ReadChannel | undefined,
  attachment: Attachment,
  now: number,
): void {
  const { acks, subscriptions, inFlight = [] } = attachment;
  session.remembersPlace = holdsPlace(attachment);
  session.output.restore(acks, inFlight);
  for (const saved of subscriptions) {
    const channel = channelOf(saved.room);
    if (channel !== undefined) restoreSubscription(session, channel, saved, now);
  }
}

function restoreSubscription(
  session: Session,
  channel: ReadChannel,
  { epoch, maxRate, joins, since, id, cursor }: SavedSubscription,
  now: number,
): void {
  if (joins) {
    session.subscribe(channel, { id, since, maxRate }, now);
  } else if (epoch === channel.log.epoch || cursor !== undefined) {
    const place = cursor === undefined ? undefined : { epoch, seq: cursor };
    session.resume(channel, maxRate, place, now);
  } else {
    // An epoch ends with its sockets, but nothing is lost by not relying on that.
    session.subscribe(channel, { since: { epoch, seq: 0 }, maxRate }, now);
  }
}

function savedSubscription({ channel, member, id }: Subscription): SavedSubscription {
  const place = channel.placeOf(member);
  const { state } = member;
  return {
    room: channel.room,
    epoch: place?.epoch ?? channel.log.epoch,
    maxRate: member.maxRate,
    joins: state.kind !== 'current' && place === undefined,
    since: state.kind === 'waiting' ? state.since : undefined,
    id: state.kind === 'waiting' ? id : undefined,
    cursor: place?.seq,
  };
}

function hasPlace({ joins, cursor }: SavedSubscription): boolean {
  return joins || cursor !== undefined;
}
