/**
 * What a client says, and what is answered. The checks come in one order: whether the session is
 * still entitled, whether it has messages left, whether its answer could be sent, and only then what
 * the message says.
 */
import { type Identification, sessionIdentity } from '../../auth/token.ts';
import type { RequestId } from '../../protocol/frames.ts';
import { type Request, readMessage, type SubscribeRequest } from '../../protocol/messages.ts';
import { normalRoomName } from '../../protocol/rooms.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import type { Admission } from './admission/admission.ts';
import { Space } from './admission/space.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { ReadChannel } from './subscription.ts';

/** A socket that goes on sending what no client sends is closed. */
const MAX_INVALID_MESSAGES = 8;
/** A message costs one more for each so many characters that its answer has. */
const ANSWER_CHARACTERS_PER_MESSAGE = 16 * 1024;

export interface ConversationPorts {
  readonly sessions: Sessions;
  readonly admission: Admission;
  readonly checkToken: (token: string) => Promise<User | Refusal>;
  /** Whether a token opens the rooms that a socket of this object must have. */
  readonly opens: (user: User) => boolean;
  /** Begins another turn, since whatever is awaited ends the present one. */
  readonly turn: (act: (now: number) => void) => void;
}

type User = Identification & { readonly kind: 'user' };
type Refusal = Identification & { readonly kind: 'refused' };

export class Conversation {
  readonly #ports: ConversationPorts;

  constructor(ports: ConversationPorts) {
    this.#ports = ports;
  }

  /**
   * Reads a message, and does what it asks. Resolves when that is done, or when the message waits for
   * the check of a token that was sent before it.
   */
  read(session: Session, data: string | ArrayBuffer, now: number): Promise<void> | void {
    if (!session.messages.affords(now)) return session.dismiss('too_many_messages');
    session.messages.spend(1, now);
    if (!session.output.canBeAnswered) return session.dismiss('slow_consumer');
    if (!session.inbox.isHeld) return this.#readNext(session, data, now);
    if (!session.inbox.add(data)) session.dismiss('too_many_messages');
  }

  #readNext(session: Session, data: string | ArrayBuffer, now: number): Promise<void> | void {
    const reading = readMessage(data, session.profile.messageLength);
    switch (reading.kind) {
      case 'message':
        return this.#obey(session, reading.message, now);
      case 'invalid':
        return this.#complain(session, reading.complaint, reading.id);
      case 'too_long':
        return session.dismiss('message_invalid');
      default:
        return unreachable(reading);
    }
  }

  #obey(session: Session, message: Request, now: number): Promise<void> | void {
    switch (message.type) {
      case 'auth':
        return this.#authenticate(session, message.id, message.token);
      case 'subscribe':
        return this.#subscribe(session, message, now);
      case 'unsubscribe':
        return this.#unsubscribe(session, message.id, message.rooms, now);
      case 'ack':
        return this.#acknowledge(session, message.room, message.seq, now);
      default:
        return unreachable(message);
    }
  }

  /** Each room is answered by itself, and costs a message. */
  #subscribe(session: Session, { id, rooms }: SubscribeRequest, now: number): void {
    const { output, messages } = session;
    const before = output.sent;
    const space = new Space(session);
    for (const { room, ...request } of rooms) {
      const channel = this.#channelOf(session, room, id, space, now);
      if (channel !== undefined) session.subscribe(channel, { id, ...request }, now);
      // Sending may have shown that the socket is gone.
      if (!this.#ports.sessions.holds(session)) return;
    }
    const answered = (output.sent - before) / ANSWER_CHARACTERS_PER_MESSAGE;
    messages.spend(rooms.length - 1 + answered, now);
  }

  #unsubscribe(
    session: Session,
    id: RequestId | undefined,
    rooms: readonly string[],
    now: number,
  ): void {
    for (const room of rooms) {
      const name = normalRoomName(room);
      // What a session is subscribed to it may leave, whatever has become of its rights.
      const mayLeave = session.subscriptions.has(name) || this.#mayAsk(session, room, id, now);
      if (mayLeave) session.unsubscribe(name, id, now);
      if (!this.#ports.sessions.holds(session)) return;
    }
    session.messages.spend(rooms.length - 1, now);
  }

  #acknowledge(session: Session, room: string, seq: number, now: number): void {
    const name = normalRoomName(room);
    const isKnown = session.acknowledge(name, seq, now) || session.subscriptions.has(name);
    if (!isKnown) this.#mayAsk(session, room, undefined, now);
  }

  /** Whether a session may ask for a room; if not, it is refused with the reason. */
  #mayAsk(session: Session, room: string, id: RequestId | undefined, now: number): boolean {
    const refusal = this.#ports.admission.refusal(session, normalRoomName(room), now);
    if (refusal !== undefined) session.refuse(refusal.code, refusal.message, id, room);
    return refusal === undefined;
  }

  /** The channel of a room that is asked for; undefined when that was refused. */
  #channelOf(
    session: Session,
    room: string,
    id: RequestId | undefined,
    space: Space,
    now: number,
  ): ReadChannel | undefined {
    if (!this.#mayAsk(session, room, id, now)) return undefined;
    const channel = this.#ports.admission.channelOf(session, normalRoomName(room), space, now);
    if (!('code' in channel)) return channel;
    session.refuse(channel.code, channel.message, id, room);
    return undefined;
  }

  async #authenticate(session: Session, id: RequestId | undefined, token: string): Promise<void> {
    const { sessions, checkToken, turn } = this.#ports;
    session.inbox.hold();
    // The session may have ended, or been dismissed, while the token was checked.
    const goOn = (act: (now: number) => void) =>
      turn((now) => {
        if (sessions.holds(session)) act(now);
        session.inbox.release();
        this.#readWaiting(session, now);
      });
    let identity: User | Refusal;
    try {
      identity = await checkToken(token);
    } catch (error) {
      goOn(() => {});
      throw error;
    }
    goOn((now) => this.#takeToken(session, identity, id, now));
  }

  /** Obeys what was said while a token was checked, up to the next token. */
  #readWaiting(session: Session, now: number): void {
    for (;;) {
      const data = this.#ports.sessions.holds(session) ? session.inbox.next() : undefined;
      if (data === undefined) return;
      // A list costs as much as it names only when it is read.
      if (session.messages.affordableAt > now) session.dismiss('too_many_messages');
      else void this.#readNext(session, data, now);
    }
  }

  /** Takes a new token for the old one: of the same user, and as good for this room. */
  #takeToken(
    session: Session,
    identity: User | Refusal,
    id: RequestId | undefined,
    now: number,
  ): void {
    if (identity.kind === 'refused') {
      session.refuse(identity.code, 'the token does not hold', id);
      return;
    }
    const { user } = session.identity;
    const isOther = user !== undefined && identity.user !== user;
    if (isOther || !this.#ports.opens(identity)) {
      session.refuse('room_forbidden', 'the token is not for this socket', id);
      return;
    }
    session.renew(sessionIdentity(identity));
    this.#ports.sessions.noteEnd(session.identity);
    this.#leaveClosedRooms(session, now);
  }

  /** A token may open less than the one before it. Nothing more is sent of any room that it does not open. */
  #leaveClosedRooms(session: Session, now: number): void {
    const { admission, sessions } = this.#ports;
    const closed = [...session.subscriptions.keys()].flatMap((room) => {
      const refusal = admission.refusal(session, room, now);
      return refusal === undefined ? [] : [{ room, refusal }];
    });
    session.leave(
      closed.map(({ room }) => room),
      now,
    );
    for (const { room, refusal } of closed) {
      if (!sessions.holds(session)) return;
      session.refuse(refusal.code, refusal.message, undefined, room);
      session.unsubscribe(room, undefined, now);
    }
  }

  #complain(session: Session, complaint: string, id: RequestId | undefined): void {
    session.invalidMessages++;
    if (session.invalidMessages > MAX_INVALID_MESSAGES) session.dismiss('message_invalid');
    else session.refuse('message_invalid', complaint, id);
  }
}
