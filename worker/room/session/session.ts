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
import type { MaxRate } from '../../protocol/messages.ts';
import { SYSTEM_ROOM } from '../../protocol/rooms.ts';
import { Budget } from '../delivery/budget.ts';
import type { Readiness } from '../delivery/member.ts';
import { MAX_FRAME_CHARACTERS } from '../delivery/slice.ts';
import type { Sent, Turn } from '../turn.ts';
import { Inbox } from './inbox.ts';
import { Output, type Socket } from './output/output.ts';
import { WINDOW_CHARACTERS } from './output/window.ts';
import type { Profile } from './profile.ts';
import {
  type ReadChannel,
  type Subscriber,
  Subscription,
  type SubscriptionRequest,
} from './subscription.ts';

/** Who a session belongs to. */
export interface Identity {
  readonly user: string | undefined;
  /** When the token ends, Unix ms; undefined for an anonymous session. */
  readonly tokenExpiresAt: number | undefined;
  /** The custom rooms that the token grants; a room's own object need not know them. */
  readonly rooms?: readonly string[] | undefined;
  /** What the client should know of its token, though it holds. */
  readonly notices?: readonly Notice[] | undefined;
}

/** What a session begins with. */
export interface SessionStart extends Identity {
  /** The path to come back to. */
  readonly home?: string | undefined;
  /** The client's network; undefined when it is not known. */
  readonly address?: string | undefined;
  /** Whether it asks for the times of events. */
  readonly isTraced?: boolean | undefined;
}

/** What a session asks of those who hold it. */
export interface SessionHolder {
  /** Its attachment is to be written. */
  changed(session: Session): void;
  /** It has frames that leave at the end of the turn. */
  hasFrames(session: Session): void;
  /** Its socket is closing already. */
  lost(session: Session): void;
  /** Its socket is to be closed. */
  dismiss(session: Session, reason: CloseReason): void;
}

export class Session implements Subscriber {
  readonly socket: Socket;
  readonly output: Output;
  readonly profile: Profile;
  /** The path to come back to; undefined for the one that it has come by. */
  readonly home: string | undefined;
  readonly address: string | undefined;
  readonly isTraced: boolean;
  /** What its client may still send. */
  readonly messages: Budget;
  /** What it has said that waits. */
  readonly inbox: Inbox;
  invalidMessages = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Whether its attachment holds a place, so that it is wrong once something was sent. */
  remembersPlace = false;
  #identity: Identity;
  readonly #holder: SessionHolder;

  constructor(
    socket: Socket,
    { home, address, isTraced = false, ...identity }: SessionStart,
    profile: Profile,
    turn: Turn & Sent,
    holder: SessionHolder,
  ) {
    this.socket = socket;
    this.profile = profile;
    this.home = home;
    this.address = address;
    this.isTraced = isTraced;
    this.messages = new Budget(profile.messageBurst, profile.messagesPerSecond / 1_000);
    this.inbox = new Inbox(profile.messageLength);
    this.output = new Output(socket, turn, profile.batches);
    this.#identity = identity;
    this.#holder = holder;
  }

  get readiness(): Readiness {
    return this.output.readiness;
  }

  get sent(): number {
    return this.output.sent;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Sends the client who it is, and what it may do. */
  welcome(): void {
    const { user, tokenExpiresAt, notices = [] } = this.#identity;
    this.send(
      encodeFrame({
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        ...(user === undefined ? {} : { user }),
        ...(tokenExpiresAt === undefined ? {} : { expiresAt: tokenExpiresAt }),
        ...(notices.length === 0 ? {} : { notices: [...notices] }),
        limits: {
          messageLength: this.profile.messageLength,
          window: WINDOW_CHARACTERS,
          frameLength: MAX_FRAME_CHARACTERS,
          ...(this.profile.rooms === undefined ? {} : { rooms: this.profile.rooms }),
          pingEvery: PING_EVERY,
        },
        ...(this.home === undefined ? {} : { home: this.home }),
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
    this.leave([channel.room], now);
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

  /** Ends subscriptions in silence. */
  leave(rooms: readonly string[], now: number): void {
    const left = rooms.flatMap((room) => this.subscriptions.get(room) ?? []);
    if (left.length === 0) return;
    for (const { channel, member } of left) {
      channel.remove(member);
      this.subscriptions.delete(channel.room);
      // What is on its way may never be acked: the client may take up the room from another place.
      this.output.forget(channel.room);
    }
    // What is not waited for any more may have been all that held up the other rooms.
    this.#wakeAll(now);
  }

  /** Ends a subscription, and says so; the socket stays. */
  unsubscribe(room: string, id: RequestId | undefined, now: number): void {
    this.leave([room], now);
    this.changed();
    this.send(encodeFrame({ type: 'unsubscribed', ...(id === undefined ? {} : { id }), room }));
  }

  /**
   * The client has received everything up to `seq` of `room`, and what was sent before that. The room may
   * be one that it has left or taken up again meanwhile. False when it was not sent that.
   */
  acknowledge(room: string, seq: number, now: number): boolean {
    const wasSent = this.subscriptions.get(room)?.wasSent(seq) === true;
    if (!wasSent && !this.output.awaits(room, seq)) return false;
    if (!this.output.acks || this.remembersPlace) this.changed();
    this.output.acknowledge(room, seq);
    this.#wakeAll(now);
    return true;
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
    else if (this.profile.batches) this.#holder.hasFrames(this);
  }

  /** Sends frames that bring the client to `upTo` in `room`. False when the socket is gone. */
  sendUpTo(room: string, upTo: number, frames: readonly string[]): boolean {
    if (!this.output.sendUpTo(room, upTo, frames)) {
      this.#holder.lost(this);
      return false;
    }
    if (this.profile.batches) this.#holder.hasFrames(this);
    if (this.remembersPlace || this.output.isWindowFull) this.changed();
    return true;
  }

  changed(): void {
    this.#holder.changed(this);
  }

  dismiss(reason: CloseReason): void {
    this.#holder.dismiss(this, reason);
  }

  /** A room that was asked for cannot be had now; `system`, which nobody has to ask for, is waited for. */
  unavailable(room: string, id: RequestId | undefined, now: number): void {
    if (this.profile.rooms === undefined || room === SYSTEM_ROOM) return;
    this.leave([room], now);
    this.changed();
    this.refuse('room_unavailable', 'the room cannot be reached now: try again', id, room);
  }

  /** Ends all subscriptions, because the socket is gone. */
  end(): void {
    for (const { channel, member } of this.subscriptions.values()) channel.remove(member);
    this.subscriptions.clear();
  }

  /** The rooms that were served longest ago come first. */
  #wakeAll(now: number): void {
    const inTurn = [...this.subscriptions.values()].sort((a, b) => a.servedAt - b.servedAt);
    for (const { member, channel } of inTurn) {
      if (this.output.isWindowFull) return;
      channel.wake(member, now);
    }
  }
}
