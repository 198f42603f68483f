/**
 * A room's sockets. Each frame is composed by the caller, once; all that is done per member is to
 * send it. A private room's members are let go when their token ends.
 */
import { CLOSE_CODES, type CloseReason } from '../protocol/codes.ts';

/** The part of a WebSocket that the audience uses. */
export interface Socket {
  send(frame: string): void;
  close(code: number, reason: string): void;
  serializeAttachment(attachment: Member | null): void;
}

/** What survives hibernation with a socket, in its attachment. */
export interface Member {
  /** The epoch that the member was told, for a room that has nothing saved. */
  readonly epoch: number;
  /** Unix ms; undefined for an anonymous member. */
  readonly tokenExpiresAt: number | undefined;
}

export class Audience {
  readonly #members = new Map<Socket, Member>();
  readonly #closing = new Set<Socket>();
  readonly #isPrivate: boolean;
  /** No member's token ends before this, Unix ms. */
  #soonestEnd = Number.POSITIVE_INFINITY;

  constructor(isPrivate: boolean) {
    this.#isPrivate = isPrivate;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Sockets that were dismissed and whose peers have not answered the close. */
  get closing(): number {
    return this.#closing.size;
  }

  has(socket: Socket): boolean {
    return this.#members.has(socket);
  }

  join(socket: Socket, member: Member): void {
    this.#members.set(socket, member);
    const end = member.tokenExpiresAt ?? Number.POSITIVE_INFINITY;
    this.#soonestEnd = Math.min(this.#soonestEnd, end);
  }

  leave(socket: Socket): void {
    this.#members.delete(socket);
    this.#closing.delete(socket);
  }

  /** Closes a socket. Its attachment is cleared, or it would be a member again after a sleep. */
  dismiss(socket: Socket, reason: CloseReason): void {
    this.#members.delete(socket);
    this.#closing.add(socket);
    socket.serializeAttachment(null);
    socket.close(CLOSE_CODES[reason].close, reason);
  }

  /** Takes note, at a wake, of a socket that was dismissed before. */
  restoreClosing(socket: Socket): void {
    this.#closing.add(socket);
  }

  broadcast(frames: readonly string[], now: number): void {
    if (this.#isPrivate && this.#soonestEnd <= now) this.#dismissExpired(now);
    for (const socket of this.#members.keys()) {
      try {
        for (const frame of frames) socket.send(frame);
      } catch {
        // Closing already; its close event may come later or, after a crash of the peer, never.
        this.leave(socket);
      }
    }
  }

  #dismissExpired(now: number): void {
    this.#soonestEnd = Number.POSITIVE_INFINITY;
    for (const [socket, { tokenExpiresAt = Number.POSITIVE_INFINITY }] of this.#members) {
      if (tokenExpiresAt > now) this.#soonestEnd = Math.min(this.#soonestEnd, tokenExpiresAt);
      else this.dismiss(socket, 'token_expired');
    }
  }
}
