/** A session's subscription to a channel: the member that reads the channel for the session. */
import type { CloseReason } from '../../protocol/codes.ts';
import { type Cursor, encodeFrame, type RequestId } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Frames } from '../delivery/frames.ts';
import { Member, type Membership, type Readiness, type Recipient } from '../delivery/member.ts';
import type { Slice } from '../delivery/slice.ts';

export interface SubscriptionRequest {
  /** Names the request in its answer. */
  readonly id?: RequestId | undefined;
  /** Where the client stands; a new client has none. */
  readonly since?: Cursor | undefined;
  readonly maxRate?: MaxRate | undefined;
}

/** What a subscription needs of the channel that it reads. */
export interface ReadChannel {
  readonly room: string;
  readonly log: { readonly epoch: number };
  readonly frames: Pick<Frames, 'of' | 'traced'>;
  join(member: Member, now: number): void;
  restore(member: Member, cursor: Cursor | undefined, now: number): void;
  remove(member: Member): void;
  wake(member: Member, now: number): void;
  sentUpTo(member: Member): number | undefined;
  placeOf(member: Member): Cursor | undefined;
}

/** What a subscription needs of its session. */
export interface Subscriber {
  readonly readiness: Readiness;
  /** Whether it is given the times of events. */
  readonly isTraced: boolean;
  /** What it was ever sent, in characters. */
  readonly sent: number;
  /** Sends frames that bring the client to `upTo` in `room`. False when the socket is gone. */
  sendUpTo(room: string, upTo: number, frames: readonly string[]): boolean;
  /** Its attachment is to be written. */
  changed(): void;
  dismiss(reason: CloseReason): void;
  /** A room that it waits for cannot be had now. */
  unavailable(room: string, id: RequestId | undefined, now: number): void;
}

export class Subscription implements Recipient {
  readonly channel: ReadChannel;
  readonly member: Member;
  /** What its session had been sent when it was last served: the one with the least is served next. */
  servedAt = 0;
  /** What the answer names. */
  readonly id: RequestId | undefined;
  readonly #session: Subscriber;

  constructor(
    session: Subscriber,
    channel: ReadChannel,
    { id, since, maxRate }: SubscriptionRequest,
  ) {
    this.channel = channel;
    this.member = new Member(this, maxRate, { kind: 'waiting', since });
    this.#session = session;
    this.id = id;
  }

  get readiness(): Readiness {
    return this.#session.readiness;
  }

  /** Whether the client may have received everything up to `seq`. */
  wasSent(seq: number): boolean {
    return seq <= (this.channel.sentUpTo(this.member) ?? -1);
  }

  welcome({ epoch, head, from, recovered }: Membership): boolean {
    const { id } = this;
    const { room } = this.channel;
    const subscribed = encodeFrame({
      type: 'subscribed',
      ...(id === undefined ? {} : { id }),
      room,
      epoch,
      seq: head,
      recovered,
    });
    return this.#session.sendUpTo(room, from, [subscribed]);
  }

  deliver(slice: Slice): boolean {
    // A client acks each part of a state by the number of the state.
    const upTo = slice.kind === 'state' ? slice.head : slice.cursor;
    this.servedAt = this.#session.sent;
    const { room, frames } = this.channel;
    const encoded = this.#session.isTraced ? frames.traced(slice) : frames.of(slice);
    return this.#session.sendUpTo(room, upTo, encoded);
  }

  placeChanged(): void {
    this.#session.changed();
  }

  giveUp(): void {
    this.#session.dismiss('slow_consumer');
  }

  unavailable(now: number): void {
    this.#session.unavailable(this.channel.room, this.id, now);
  }
}
