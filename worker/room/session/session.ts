/**
 * A session: one client's socket, who the client is, what it may still say, and what is on its way
 * to it. What it reads of a channel is a subscription. Everything that a wake must know of a session
 * is in its attachment, which is written once per turn (`sessions.ts`).
 */
import type { CloseReason, Notice, SocketErrorCode } from '../../protocol/codes.ts';
import {
  type Cursor,
  encodeFrame,
  PING_EVERY,
  PROTOCOL_VERSION,
  type RequestId,
} from '../../protocol/frames.ts';
import { MAX_MESSAGE_LENGTH, type MaxRate } from '../../protocol/messages.ts';
import { Budget } from '../delivery/budget.ts';
import type { Readiness } from '../delivery/member.ts';
import { MAX_FRAME_CHARACTERS } from '../delivery/slice.ts';
import type { Turn } from '../turn.ts';
import { Output, type Socket } from './output.ts';
import {
  type ReadChannel,
  type Subscriber,
  Subscription,
  type SubscriptionRequest,
} from './subscription.ts';
import { WINDOW_CHARACTERS } from './window.ts';

/** How many messages a client may send at once: one that joins and acks a backlog needs a few. */
const MESSAGE_BURST = 100;
/** How many messages a second it may send: an ack for each half window would be 2.6 MB/s. */
const MESSAGES_PER_SECOND = 20;

const LIMITS = {
  messageLength: MAX_MESSAGE_LENGTH,
  window: WINDOW_CHARACTERS,
  frameLength: MAX_FRAME_CHARACTERS,
  pingEvery: PING_EVERY,
};

/** Who a session belongs to. */
export interface Identity {
  readonly user: string | undefined;
  /** When the token ends, Unix ms; undefined for an anonymous session. */
  readonly tokenExpiresAt: number | undefined;
  /** What the client should know of its token, though it holds. */
  readonly notices?: readonly Notice[] | undefined;
}

/** What a session asks of those who hold it. */
export interface SessionHolder {
  /** Its attachment is to be written. */
  changed(session: Session): void;
  /** Its socket is closing already. */
  lost(session: Session): void;
  /** Its socket is to be closed. */
  dismiss(session: Session, reason: CloseReason): void;
}

export class Session implements Subscriber {
  readonly socket: Socket;
  readonly output: Output;
  /** What its client may still send. */
  readonly messages = new Budget(MESSAGE_BURST, MESSAGES_PER_SECOND / 1_000);
  invalidMessages = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Whether its attachment holds a place, so that it is wrong once something was sent. */
  remembersPlace = false;
  #identity: Identity;
  readonly #holder: SessionHolder;

  constructor(socket: Socket, identity: Identity, turn: Turn, holder: SessionHolder) {
    this.socket = socket;
    this.output = new Output(socket, turn);
    this.#identity = identity;
    this.#holder = holder;
  }

  get readiness(): Readiness {
    return this.output.readiness;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Tells the client who it is, and what it may do. */
  welcome(): void {
    const { user, tokenExpiresAt, notices = [] } = this.#identity;
    this.send(
      encodeFrame({
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        ...(user === undefined ? {} : { user }),
        ...(tokenExpiresAt === undefined ? {} : { expiresAt: tokenExpiresAt }),
        ...(notices.length === 0 ? {} : { notices: [...notices] }),
        limits: LIMITS,
      }),
    );
  }

  /** Takes a new token, of the same user or the first of an anonymous session. */
  renew(identity: Identity): void {
    this.#identity = identity;
    this.changed();
    this.welcome();
  }

  /** Subscribes to a channel, or subscribes anew. */
  subscribe(channel: ReadChannel, request: SubscriptionRequest, now: number): void {
    this.#leave(channel.room, now);
    const subscription = new Subscription(this, channel, request);
    this.subscriptions.set(channel.room, subscription);
    this.changed();
    channel.join(subscription.member, now);
  }

  /** Goes on with a subscription after a sleep, at `cursor` or else at the head. */
  resume(
    channel: ReadChannel,
    maxRate: MaxRate | undefined,
    cursor: Cursor | undefined,
    now: number,
  ): void {
    const subscription = new Subscription(this, channel, { maxRate });
    this.subscriptions.set(channel.room, subscription);
    channel.restore(subscription.member, cursor, now);
  }

  /** Ends a subscription; the socket stays. */
  unsubscribe(room: string, id: RequestId | undefined, now: number): void {
    this.#leave(room, now);
    this.changed();
    this.send(encodeFrame({ type: 'unsubscribed', ...(id === undefined ? {} : { id }), room }));
  }

  /** The client has received everything up to `seq` of `room`, and what was sent before that. */
  acknowledge(room: string, seq: number, now: number): void {
    const subscription = this.subscriptions.get(room);
    if (subscription === undefined || !subscription.wasSent(seq)) return;
    if (!this.output.acks || this.remembersPlace) this.changed();
    this.output.acknowledge(room, seq);
    this.#wakeAll(now);
  }

  /** Refuses a message; the socket stays. */
  refuse(code: SocketErrorCode, message: string, id?: RequestId, room?: string): void {
    this.send(
      encodeFrame({
        type: 'error',
        ...(id === undefined ? {} : { id }),
        ...(room === undefined ? {} : { room }),
        code,
        message,
      }),
    );
  }

  /** Sends a frame that is no part of a room's stream. */
  send(frame: string): void {
    if (!this.output.send(frame)) this.#holder.lost(this);
  }

  /** Sends frames that bring the client to `upTo` in `room`. False when the socket is gone. */
  give(room: string, upTo: number, frames: readonly string[]): boolean {
    if (!this.output.sendUpTo(room, upTo, frames)) {
      this.#holder.lost(this);
      return false;
    }
    if (this.remembersPlace || this.output.isWindowFull) this.changed();
    return true;
  }

  changed(): void {
    this.#holder.changed(this);
  }

  dismiss(reason: CloseReason): void {
    this.#holder.dismiss(this, reason);
  }

  /** Ends all subscriptions, because the socket is gone. */
  end(): void {
    for (const { channel, member } of this.subscriptions.values()) channel.remove(member);
    this.subscriptions.clear();
  }

  #leave(room: string, now: number): void {
    const subscription = this.subscriptions.get(room);
    if (subscription === undefined) return;
    subscription.channel.remove(subscription.member);
    this.subscriptions.delete(room);
    // What is on its way may never be acked: the client may take up the room from another place.
    this.output.forget(room);
    // What is not waited for any more may have been all that held up the other rooms.
    this.#wakeAll(now);
  }

  #wakeAll(now: number): void {
    for (const { member, channel } of this.subscriptions.values()) channel.wake(member, now);
  }
}
