/** A socket in a room: what it asked for, and what is known of how well it keeps up. */
import type { MaxRate } from '../../protocol/messages.ts';
import { InFlight, type SentFrames } from '../session/in-flight.ts';

/** The part of a WebSocket that a room uses. */
export interface Socket {
  send(frame: string): void;
  close(code: number, reason: string): void;
  serializeAttachment(attachment: Attachment | null): void;
  /** Bytes that wait in our memory for the network; only the newest runtimes tell. */
  readonly bufferedAmount?: number;
}

/** What survives hibernation with a socket. It stands at the log's saved head, unless it has a cursor. */
export interface Attachment {
  /** The epoch that the member was told, for a room that has nothing saved. */
  readonly epoch: number;
  readonly user: string | undefined;
  /** Unix ms; undefined for an anonymous member. */
  readonly tokenExpiresAt: number | undefined;
  readonly maxRate: MaxRate | undefined;
  /** Whether it has ever acknowledged anything. */
  readonly acks: boolean;
  /** Whether it is subscribed; a socket that is not is only held. */
  readonly subscribed: boolean;
  /** Of a laggard only, and of who was not sent the newest entries because they had expired. */
  readonly cursor: number | undefined;
  /** On its way to one that acks, if it lags or its window is full; else a sleep forgets it. */
  readonly inFlight: readonly SentFrames[] | undefined;
}

export class Member {
  readonly socket: Socket;
  user: string | undefined;
  tokenExpiresAt: number | undefined;
  maxRate: MaxRate | undefined;
  acks = false;
  subscribed = true;
  /** What was sent to it and not acknowledged; told only of a member that acks. */
  readonly inFlight: InFlight;
  /** Its cursor, as attached; undefined for one that stands where the log does when it sleeps. */
  savedCursor: number | undefined;
  /** Whether what is in flight is attached, so that an ack has to be, too. */
  savedInFlight = false;
  /** Whether it fell behind by its own slowness, so that it may be shown less. */
  isSlow = false;
  /** Since when it takes nothing, Unix ms; undefined while it does. */
  stalledAt: number | undefined;

  constructor(
    socket: Socket,
    identity: Pick<Attachment, 'user' | 'tokenExpiresAt' | 'maxRate'> &
      Partial<Pick<Attachment, 'inFlight'>>,
  ) {
    this.socket = socket;
    this.inFlight = new InFlight(identity.inFlight);
    this.user = identity.user;
    this.tokenExpiresAt = identity.tokenExpiresAt;
    this.maxRate = identity.maxRate;
  }

  static restore(socket: Socket, attachment: Attachment): Member {
    const member = new Member(socket, attachment);
    member.acks = attachment.acks;
    member.subscribed = attachment.subscribed;
    member.savedCursor = attachment.cursor;
    member.savedInFlight = attachment.inFlight !== undefined;
    member.isSlow = attachment.cursor !== undefined;
    return member;
  }

  /** Writes what a wake must know again. @param cursor of one that stands short of the log's head. */
  attach(epoch: number, cursor: number | undefined): void {
    const { user, tokenExpiresAt, maxRate, acks, subscribed } = this;
    this.savedCursor = cursor;
    this.savedInFlight = acks && (cursor !== undefined || this.inFlight.isFull);
    this.socket.serializeAttachment({
      epoch,
      user,
      tokenExpiresAt,
      maxRate,
      acks,
      subscribed,
      cursor,
      inFlight: this.savedInFlight ? this.inFlight.save() : undefined,
    });
  }
}
