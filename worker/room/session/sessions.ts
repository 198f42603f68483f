/**
 * The sessions of an object: which sockets are held, which of them have to go, and whose attachment
 * is to be written. All attachments are written here, once per turn.
 */
import { CLOSE_CODES, type CloseReason } from '../../protocol/codes.ts';
import { encodeFrame } from '../../protocol/frames.ts';
import type { Sent, Turn } from '../turn.ts';
import { type Attachment, encodeAttachment, holdsPlace } from './attachment.ts';
import { JoinedFrames } from './output/joined-frames.ts';
import type { Socket } from './output/output.ts';
import type { Profile } from './profile.ts';
import { type Identity, Session, type SessionHolder, type SessionStart } from './session.ts';

/** How often silent peers are looked for, in ms, and only while something happens in the object. */
const SILENCE_CHECK = 30_000;
/** A client that pings does so every half minute; in a hidden tab, browsers let it once a minute. */
const MAX_SILENCE = 150_000;

export interface SessionsPorts {
  readonly turn: Turn & Sent;
  readonly profile: Profile;
  /** Whether a session may be sent something only while its token has not ended. */
  readonly isPrivate: (session: Session) => boolean;
  /** When the socket last pinged, Unix ms; undefined for one that never did. */
  readonly lastPing: (socket: Socket) => number | undefined;
  readonly attachmentOf: (session: Session) => Attachment;
}

export class Sessions implements SessionHolder {
  readonly #ports: SessionsPorts;
  readonly #held = new Map<Socket, Session>();
  readonly #closing = new Set<Socket>();
  readonly #changed = new Set<Session>();
  /** Those whose frames leave at the end of the turn. */
  readonly #outgoing = new Set<Session>();
  /** No session's token ends before this, Unix ms. */
  #soonestEnd = Number.POSITIVE_INFINITY;
  #silenceCheckedAt = 0;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
  }

  /** How many sockets are held. */
  get size(): number {
    return this.#held.size;
  }

  /** How many sockets were dismissed whose peers have not answered; some never do. */
  get closing(): number {
    return this.#closing.size;
  }

  /** The session of a socket that is held. */
  of(socket: Socket): Session | undefined {
    return this.#held.get(socket);
  }

  holds(session: Session): boolean {
    return this.#held.get(session.socket) === session;
  }

  hold(socket: Socket, start: SessionStart): Session {
    const { profile, turn } = this.#ports;
    const session = new Session(socket, start, profile, turn, this);
    this.#held.set(socket, session);
    this.noteEnd(start);
    return session;
  }

  /** Takes note of a socket that was dismissed before a sleep. */
  holdClosing(socket: Socket): void {
    this.#closing.add(socket);
  }

  /** A token ends. */
  noteEnd({ tokenExpiresAt = Number.POSITIVE_INFINITY }: Identity): void {
    this.#soonestEnd = Math.min(this.#soonestEnd, tokenExpiresAt);
  }

  changed(session: Session): void {
    if (this.holds(session)) this.#changed.add(session);
  }

  hasFrames(session: Session): void {
    this.#outgoing.add(session);
  }

  lost({ socket }: Session): void {
    this.release(socket);
  }

  /** Lets go of a socket that is closed. */
  release(socket: Socket): void {
    const session = this.#held.get(socket);
    this.#held.delete(socket);
    this.#closing.delete(socket);
    if (session === undefined) return;
    this.#changed.delete(session);
    this.#outgoing.delete(session);
    session.end();
  }

  /** Closes a socket. Its attachment is cleared, or a wake would take it for a session again. */
  dismiss({ socket, output }: Session, reason: CloseReason): void {
    output.sendWaiting();
    this.release(socket);
    this.#closing.add(socket);
    socket.serializeAttachment(null);
    socket.close(CLOSE_CODES[reason].close, reason);
  }

  /** Tells each client when to come back, in ms, and closes its socket. */
  shutDown(comeBackIn: () => number): void {
    for (const session of [...this.#held.values()]) {
      session.send(encodeFrame({ type: 'shutdown', retryAfter: comeBackIn() }));
      if (this.holds(session)) this.dismiss(session, 'shutdown');
    }
  }

  /** Lets those go who may be sent nothing more: their token has ended, or their peer is gone. */
  sweep(now: number): void {
    if (this.#soonestEnd <= now) this.#dismissExpired(now);
    if (now - this.#silenceCheckedAt >= SILENCE_CHECK) this.#dismissSilent(now);
  }

  /** Sends the frames of this turn that leave together. */
  sendOutgoing(): void {
    if (this.#outgoing.size === 0) return;
    const joined = new JoinedFrames();
    for (const session of this.#outgoing) {
      if (!session.output.sendWaiting(joined)) this.lost(session);
    }
    this.#outgoing.clear();
  }

  /** Writes the attachments of the sessions that changed in this turn. */
  saveChanged(): void {
    for (const session of this.#changed) this.#save(session);
    this.#changed.clear();
  }

  /** What cannot be kept costs this session its socket, and nobody else anything. */
  #save(session: Session): void {
    const attachment = this.#ports.attachmentOf(session);
    session.remembersPlace = holdsPlace(attachment);
    try {
      session.socket.serializeAttachment(encodeAttachment(attachment));
    } catch {
      this.dismiss(session, 'session_too_large');
    }
  }

  #dismissExpired(now: number): void {
    this.#soonestEnd = Number.POSITIVE_INFINITY;
    for (const session of [...this.#held.values()]) {
      const { identity } = session;
      if ((identity.tokenExpiresAt ?? Number.POSITIVE_INFINITY) > now) this.noteEnd(identity);
      else if (this.#ports.isPrivate(session)) this.dismiss(session, 'token_expired');
    }
  }

  /** A client that never pings is not judged by it: a plain WebSocket is a client too. */
  #dismissSilent(now: number): void {
    this.#silenceCheckedAt = now;
    for (const session of [...this.#held.values()]) {
      const pingedAt = this.#ports.lastPing(session.socket);
      const isSilent = pingedAt !== undefined && now - pingedAt > MAX_SILENCE;
      if (isSilent) this.dismiss(session, 'peer_silent');
    }
  }
}
