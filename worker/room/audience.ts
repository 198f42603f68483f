/**
 * A room's sockets. Each frame is composed by the caller, once; all that is done per member is to
 * send it. A private room's members are let go when their token ends.
 */
import { CLOSE_CODES } from '../protocol/codes.ts';

/** The part of a WebSocket that the audience uses. */
export interface Socket {
  send(frame: string): void;
  close(code: number, reason: string): void;
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
  readonly #isPrivate: boolean;
  /** No member's token ends before this, Unix ms. */
  #soonestEnd = Number.POSITIVE_INFINITY;

  constructor(isPrivate: boolean) {
    this.#isPrivate = isPrivate;
  }

  get size(): number {
    return this.#members.size;
  }

  join(socket: Socket, member: Member): void {
    this.#members.set(socket, member);
    const end = member.tokenExpiresAt ?? Number.POSITIVE_INFINITY;
    this.#soonestEnd = Math.min(this.#soonestEnd, end);
  }

  leave(socket: Socket): void {
    this.#members.delete(socket);
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
      if (tokenExpiresAt > now) {
        this.#soonestEnd = Math.min(this.#soonestEnd, tokenExpiresAt);
        continue;
      }
      this.leave(socket);
      socket.close(CLOSE_CODES.token_expired.close, 'token_expired');
    }
  }
}
