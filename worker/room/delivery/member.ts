/**
 * A member: a cursor on one channel, and the recipient of what lies after it, which is a session's
 * subscription. (A follower on another object has a cursor, too, but is served by `follow/followers.ts`.)
 */
import type { Cursor } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Losses } from './losses.ts';
import type { Slice } from './slice.ts';

/**
 * Whether a slice can be delivered to a recipient. `full`: it cannot, and only a look tells when it can
 * again. `awaits_ack`: it cannot, and it will give a sign by itself.
 */
export type Readiness = 'ready' | 'full' | 'awaits_ack';

export interface Recipient {
  readonly readiness: Readiness;
  /** Confirms that it is a member now. False when it is gone; then it is no member any more. */
  welcome(membership: Membership): boolean;
  /** Delivers a slice to it. False when it is gone; then it is no member any more. */
  deliver(slice: Slice): boolean;
  /** Its place changed, so that what a wake must know of it is to be saved. */
  placeChanged(): void;
  /** It has taken nothing for too long, and it gives no sign by itself. */
  giveUp(): void;
  /** The log that it waits for cannot be had now. */
  unavailable(now: number): void;
}

/** Where a new member begins. */
export interface Membership {
  readonly epoch: number;
  /** The log's head. */
  readonly head: number;
  /** The number after which its slices begin. */
  readonly from: number;
  /** Whether they give everything that it has missed. */
  readonly recovered: boolean;
}

/**
 * Where a member stands.
 *
 *            welcomed, new            has the whole state
 *   waiting ──────────────▶ receiving ──────────────────▶ current
 *      │                       ▲                            │  ▲
 *      │    has fallen off     │      takes no more         │  │ has all up to
 *      │    the tail           │      of a flush            ▼  │ the last flush
 *      └───────────────────────┴─────────────────────── lagging
 *         welcomed, with a cursor in the past ─────────────▶
 */
export type MemberState =
  | Waiting
  | Receiving
  /** It stands with others in a cohort, which has their cursor. */
  | { readonly kind: 'current' }
  /** It has a cursor of its own. */
  | Lagging;

/** It has asked to be a member, and its turn to be welcomed has not come. */
export interface Waiting {
  readonly kind: 'waiting';
  readonly since: Cursor | undefined;
  /** Since when it takes nothing, Unix ms; undefined while it could take an answer. */
  readonly stalledSince?: number | undefined;
}

/** It is being sent the state at `head`, and has it up to `cursor`. */
export interface Receiving {
  readonly kind: 'receiving';
  readonly epoch: number;
  readonly head: number;
  readonly cursor: number;
  /** Since when it takes nothing, Unix ms; undefined while it takes what is delivered. */
  readonly stalledSince: number | undefined;
}

export interface Lagging {
  readonly kind: 'lagging';
  readonly cursor: Cursor;
  /** Since when it takes nothing, Unix ms; undefined while it takes what is delivered. */
  readonly stalledSince: number | undefined;
  /** Whether it is too slow for everything, so that it may be sent less of a keyed log. */
  readonly isSlow: boolean;
}

export class Member {
  readonly recipient: Recipient;
  /** The most flushes a second that it asked for; undefined for all of them. */
  readonly maxRate: MaxRate | undefined;
  state: MemberState;

  constructor(recipient: Recipient, maxRate: MaxRate | undefined, state: MemberState) {
    this.recipient = recipient;
    this.maxRate = maxRate;
    this.state = state;
  }
}

/**
 * Delivers to a member that stands at `from` as many slices as it takes.
 *
 * @returns where it stands then; undefined when it is gone.
 */
export function deliverSlices(
  { recipient }: Member,
  slices: readonly Slice[],
  from: number,
  losses: Losses,
): number | undefined {
  let reached = from;
  for (const slice of slices) {
    if (recipient.readiness !== 'ready') return reached;
    if (!recipient.deliver(slice)) return undefined;
    losses.count(slice);
    reached = slice.cursor;
  }
  return reached;
}
