/**
 * What survives hibernation with a socket. A subscription stands at the saved head of its log, unless
 * the attachment holds a cursor. The platform keeps 16 KiB of a socket, so it is written as one compact
 * text, and rooms are admitted against the most that they may come to need.
 */
import type { Cursor, RequestId } from '../../protocol/frames.ts';
import { MAX_RATES, type MaxRate } from '../../protocol/messages.ts';
import type { SavedSent } from './output/window.ts';
import type { Session } from './session.ts';
import type { ReadChannel, Subscription } from './subscription.ts';

export interface Attachment {
  /** The epoch of the object's own room, which has nothing saved before its first event; 0 at a relay. */
  readonly epoch: number;
  readonly user: string | undefined;
  /** Unix ms; undefined for an anonymous session. */
  readonly tokenExpiresAt: number | undefined;
  /** The custom rooms that the token grants, at a relay. */
  readonly rooms: readonly string[];
  /** The path that the client was told to come back to. */
  readonly home: string | undefined;
  /** The client's network. */
  readonly address: string | undefined;
  /** Whether the client has ever acked anything. */
  readonly acks: boolean;
  /** Whether it is given the times of events. */
  readonly isTraced: boolean;
  /** What it is subscribed to. A socket without any subscription is only held. */
  readonly subscriptions: readonly SavedSubscription[];
  /** What is on its way to a client that acks, if it lags or its window is full. */
  readonly inFlight: readonly SavedSent[] | undefined;
}

export interface SavedSubscription {
  readonly room: string;
  /** The epoch that the client was told; 0 when it begins anew. */
  readonly epoch: number;
  readonly maxRate: MaxRate | undefined;
  /** Whether it waits, or is being sent the state, which a wake begins anew. */
  readonly joins: boolean;
  /** Where it stood when it asked to be a member, if it still waits. */
  readonly since: Cursor | undefined;
  /** What its answer is to name, if it still waits. */
  readonly id: RequestId | undefined;
  /** The number of a laggard, and of a member that does not stand at the head. */
  readonly cursor: number | undefined;
}

/** The platform keeps 16,384 bytes, some of which it needs itself. */
export const MAX_ATTACHMENT_BYTES = 16_000;
/** The most that is written of a subscription beside its name, in characters: two epochs and a number. */
export const SUBSCRIPTION_LENGTH = 40;
/** The most that is written of what is in flight, beside names, in characters: two numbers. */
export const SENT_LENGTH = 37;
/** What is written of a session beside its names, in characters. */
export const HEAD_LENGTH = 100;
const RADIX = 36;
/** What is so of a session, added up. */
const ACKS = 1;
const IS_TRACED = 2;

/** `[room, epoch, maxRate or 0, state, id of the request that waits]`, with numbers in base 36. */
type EncodedSubscription =
  | readonly [string, string, number, EncodedState]
  | readonly [string, string, number, EncodedState, RequestId];
/** At the head; at a cursor; joins anew; joins since `[epoch, seq]`. */
type EncodedState = 0 | string | 1 | readonly [string, string];
type Encoded = readonly [
  epoch: number,
  user: string | null,
  tokenExpiresAt: number | null,
  rooms: readonly string[],
  home: string | null,
  address: string | null,
  flags: number,
  subscriptions: readonly EncodedSubscription[],
  inFlight: readonly SavedSent[] | null,
];

/** Whether an attachment says where its session stands, so that it is wrong once something was sent. */
export function holdsPlace({ subscriptions, inFlight = [] }: Attachment): boolean {
  return inFlight.length > 0 || subscriptions.some(hasPlace);
}

/** What a wake must know of a session on an object whose own room is in `epoch`. */
export function attachmentOf(session: Session, epoch: number): Attachment {
  const { output, identity, home, address, isTraced } = session;
  const subscriptions = [...session.subscriptions.values()].map(savedSubscription);
  const savesInFlight = output.acks && (output.isWindowFull || subscriptions.some(hasPlace));
  return {
    epoch,
    user: identity.user,
    tokenExpiresAt: identity.tokenExpiresAt,
    // A room's own object admits to that room only.
    rooms: session.profile.rooms === undefined ? [] : (identity.rooms ?? []),
    home,
    address,
    acks: output.acks,
    isTraced,
    subscriptions,
    inFlight: savesInFlight ? output.saveInFlight() : undefined,
  };
}

/**
 * An attachment as it is kept with its socket. Ids of requests that wait are left out if they do not
 * fit: then what answers them after a sleep names the room only.
 */
export function encodeAttachment(attachment: Attachment): string {
  const text = encode(attachment);
  if (bytesOf(text) <= MAX_ATTACHMENT_BYTES) return text;
  const subscriptions = attachment.subscriptions.map((saved) => ({ ...saved, id: undefined }));
  return encode({ ...attachment, subscriptions });
}

function encode(attachment: Attachment): string {
  const { epoch, user, tokenExpiresAt, rooms, home, address, subscriptions, inFlight } = attachment;
  const encoded: Encoded = [
    epoch,
    user ?? null,
    tokenExpiresAt ?? null,
    rooms,
    home ?? null,
    address ?? null,
    (attachment.acks ? ACKS : 0) + (attachment.isTraced ? IS_TRACED : 0),
    subscriptions.map(encodeSubscription),
    inFlight ?? null,
  ];
  return JSON.stringify(encoded);
}

/** The inverse of `encodeAttachment`; null for a socket that was dismissed. */
export function decodeAttachment(kept: unknown): Attachment | null {
  if (typeof kept !== 'string') return null;
  const [
    epoch,
    user,
    tokenExpiresAt,
    rooms,
    home,
    address,
    flags,
    subscriptions,
    inFlight,
  ]: Encoded = JSON.parse(kept);
  return {
    epoch,
    user: user ?? undefined,
    tokenExpiresAt: tokenExpiresAt ?? undefined,
    rooms,
    home: home ?? undefined,
    address: address ?? undefined,
    acks: (flags & ACKS) !== 0,
    isTraced: (flags & IS_TRACED) !== 0,
    subscriptions: subscriptions.map(decodeSubscription),
    inFlight: inFlight ?? undefined,
  };
}

function bytesOf(text: string): number {
  return text.length * bytesPerCharacter(text);
}

/** The platform writes a text with two bytes to a character if any of them needs it. */
export function bytesPerCharacter(text: string): 1 | 2 {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are all that need one byte.
  return /^[\u0000-\u00ff]*$/.test(text) ? 1 : 2;
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
  const joins = state.kind !== 'current' && place === undefined;
  return {
    room: channel.room,
    epoch: joins ? 0 : (place?.epoch ?? channel.log.epoch),
    maxRate: member.maxRate,
    joins,
    since: state.kind === 'waiting' ? state.since : undefined,
    id: state.kind === 'waiting' ? id : undefined,
    cursor: place?.seq,
  };
}

function hasPlace({ joins, cursor }: SavedSubscription): boolean {
  return joins || cursor !== undefined;
}

function encodeSubscription(subscription: SavedSubscription): EncodedSubscription {
  const { room, epoch, maxRate = 0, id } = subscription;
  const encoded = [room, epoch.toString(RADIX), maxRate, encodeState(subscription)] as const;
  return id === undefined ? encoded : [...encoded, id];
}

function encodeState({ joins, since, cursor }: SavedSubscription): EncodedState {
  if (since !== undefined) return [since.epoch.toString(RADIX), since.seq.toString(RADIX)];
  if (joins) return 1;
  return cursor === undefined ? 0 : cursor.toString(RADIX);
}

function decodeSubscription([
  room,
  epoch,
  rate,
  state,
  id,
]: EncodedSubscription): SavedSubscription {
  return {
    room,
    epoch: Number.parseInt(epoch, RADIX),
    maxRate: MAX_RATES.find((known) => known === rate),
    joins: state === 1 || typeof state === 'object',
    since:
      typeof state === 'object'
        ? { epoch: Number.parseInt(state[0], RADIX), seq: Number.parseInt(state[1], RADIX) }
        : undefined,
    id,
    cursor: typeof state === 'string' ? Number.parseInt(state, RADIX) : undefined,
  };
}
