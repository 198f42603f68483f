/**
 * A room's sockets: who is held, who of them is a member, and who has to go. What members are sent
 * is the flusher's.
 */
import { CLOSE_CODES, type CloseReason } from '../../protocol/codes.ts';
import { type Cursor, encodeFrame } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import { hasFullBuffer } from '../delivery/flow.ts';
import type { Flusher } from '../delivery/flusher.ts';
import { type Attachment, Member, type Socket } from '../delivery/member.ts';
import type { Log } from '../log/log.ts';
import { type Joiner, joinLog, welcomeFrame } from './joining.ts';

/** How often peers are looked at that fell silent, in ms, and only while the room flushes. */
const SILENCE_CHECK = 30_000;
/** A client that pings does so every half minute; in a hidden tab browsers let it once a minute. */
const MAX_SILENCE = 150_000;

export interface AudiencePorts {
  readonly room: string;
  readonly log: Log;
  /** Whether a member must be entitled by a token that has not ended. */
  readonly isPrivate: boolean;
  readonly flusher: Flusher;
  /** When the socket last pinged, Unix ms; undefined for one that never did. */
  readonly lastPing: (socket: Socket) => number | undefined;
}

export class Audience {
  readonly #ports: AudiencePorts;
  readonly #members = new Map<Socket, Member>();
  readonly #closing = new Set<Socket>();
  /** No member's token ends before this, Unix ms. */
  #soonestEnd = Number.POSITIVE_INFINITY;
  #silenceCheckedAt = 0;

  constructor(ports: AudiencePorts) {
    this.#ports = ports;
  }

  /** Sockets that are held. */
  get size(): number {
    return this.#members.size;
  }

  /** Sockets that were dismissed, and whose peers have not answered: some never do. */
  get closing(): number {
    return this.#closing.size;
  }

  memberOf(socket: Socket): Member | undefined {
    return this.#members.get(socket);
  }

  /** A new socket: it is welcomed and subscribed. */
  join(socket: Socket, joiner: Joiner, now: number): void {
    const member = new Member(socket, joiner);
    this.#hold(member);
    socket.send(welcomeFrame(joiner));
    this.subscribe(member, { since: joiner.since, maxRate: joiner.maxRate }, now);
  }

  /** Subscribes a held socket, or subscribes it anew. */
  subscribe(
    member: Member,
    request: {
      readonly id?: string | undefined;
      readonly since?: Cursor | undefined;
      readonly maxRate?: MaxRate | undefined;
    },
    now: number,
  ): void {
    const { room, log, flusher } = this.#ports;
    this.sweep(now);
    if (!this.#members.has(member.socket)) return;
    // Else who never reads could fill our memory with snapshots, by asking again and again.
    if (hasFullBuffer(member)) {
      this.dismiss(member, 'slow_consumer');
      return;
    }
    flusher.remove(member);
    member.subscribed = true;
    member.maxRate = request.maxRate;
    member.isSlow = false;
    member.stalledAt = undefined;
    // Acks of what it was sent before may never come, or name a number that it does not stand at.
    member.inFlight.clear();
    const { frames, cursor } = joinLog(room, log, request.since, request.id, now);
    member.attach(log.epoch, undefined);
    // A snapshot may fill a window by itself.
    for (const { length } of member.acks ? frames : []) member.inFlight.send(cursor, length);
    // In one turn with the append that may follow: the frames join on to each other.
    if (this.#tell(member, ...frames)) flusher.add(member, cursor, now);
  }

  /** Keeps the socket, and sends it nothing more of the room. */
  unsubscribe(member: Member, id: string | undefined): void {
    const { room, log, flusher } = this.#ports;
    flusher.remove(member);
    member.subscribed = false;
    member.attach(log.epoch, undefined);
    const answer = { type: 'unsubscribed', ...(id === undefined ? {} : { id }), room } as const;
    this.#tell(member, encodeFrame(answer));
  }

  /** A new token: of the same user, or the first of a member that was anonymous. */
  renew(
    member: Member,
    { user, expiresAt }: { readonly user: string; readonly expiresAt: number },
  ): void {
    const { log } = this.#ports;
    member.user = user;
    member.tokenExpiresAt = expiresAt;
    member.attach(log.epoch, member.savedCursor);
    this.#noteEnd(member);
    this.#tell(member, welcomeFrame(member));
  }

  /** Takes note, at a wake, of a socket that was held before. */
  restore(socket: Socket, attachment: Attachment | null, now: number): void {
    if (attachment === null) {
      this.#closing.add(socket);
      return;
    }
    const member = Member.restore(socket, attachment);
    this.#hold(member);
    const { log, flusher } = this.#ports;
    if (!member.subscribed) return;
    if (attachment.epoch === log.epoch) {
      flusher.restore(member, attachment.cursor ?? log.head, now);
      return;
    }
    // An epoch ends with its sockets, but nothing is lost by not relying on it.
    const since = { epoch: attachment.epoch, seq: attachment.cursor ?? 0 };
    this.subscribe(member, { since, maxRate: attachment.maxRate }, now);
  }

  leave(socket: Socket): void {
    const member = this.#members.get(socket);
    if (member !== undefined) this.#ports.flusher.remove(member);
    this.#members.delete(socket);
    this.#closing.delete(socket);
  }

  /** Closes a socket. Its attachment is cleared, or it would be a member again after a sleep. */
  dismiss({ socket }: Member, reason: CloseReason): void {
    this.leave(socket);
    this.#closing.add(socket);
    socket.serializeAttachment(null);
    socket.close(CLOSE_CODES[reason].close, reason);
  }

  /** Lets go who may be sent nothing more: whose token has ended, or whose peer is gone. */
  sweep(now: number): void {
    if (this.#ports.isPrivate && this.#soonestEnd <= now) this.#dismissExpired(now);
    if (now - this.#silenceCheckedAt >= SILENCE_CHECK) this.#dismissSilent(now);
  }

  /** False when the socket is closing already: its close event may come later, or never. */
  #tell({ socket }: Member, ...frames: readonly string[]): boolean {
    try {
      for (const frame of frames) socket.send(frame);
      return true;
    } catch {
      this.leave(socket);
      return false;
    }
  }

  #hold(member: Member): void {
    this.#members.set(member.socket, member);
    this.#noteEnd(member);
  }

  #noteEnd({ tokenExpiresAt = Number.POSITIVE_INFINITY }: Member): void {
    this.#soonestEnd = Math.min(this.#soonestEnd, tokenExpiresAt);
  }

  #dismissExpired(now: number): void {
    this.#soonestEnd = Number.POSITIVE_INFINITY;
    for (const member of [...this.#members.values()]) {
      if ((member.tokenExpiresAt ?? Number.POSITIVE_INFINITY) > now) this.#noteEnd(member);
      else this.dismiss(member, 'token_expired');
    }
  }

  /** One that never pings is not judged by it: a plain WebSocket is a client too. */
  #dismissSilent(now: number): void {
    this.#silenceCheckedAt = now;
    for (const member of [...this.#members.values()]) {
      const pingedAt = this.#ports.lastPing(member.socket);
      if (pingedAt !== undefined && now - pingedAt > MAX_SILENCE)
        this.dismiss(member, 'peer_silent');
    }
  }
}
