/**
 * What a client says, and what is answered. The checks come in one order: whether the session is
 * still entitled, whether it has messages left, whether its answer could be sent, and only then what
 * the message says.
 */
import { type Identification, sessionIdentity } from '../../auth/token.ts';
import type { RequestId } from '../../protocol/frames.ts';
import { type ClientMessage, readMessage } from '../../protocol/messages.ts';
import { normalRoomName } from '../../protocol/rooms.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { ReadChannel } from './subscription.ts';

/** A socket that goes on sending what no client sends is closed. */
const MAX_INVALID_MESSAGES = 8;
/** A message costs one more for each so many characters that its answer has. */
const ANSWER_CHARACTERS_PER_MESSAGE = 16 * 1024;

export interface ConversationPorts {
  readonly sessions: Sessions;
  /** The room of this object. */
  readonly room: string;
  /** The channel of a room that this object's sockets may read; undefined for any other room. */
  readonly channelOf: (room: string) => ReadChannel | undefined;
  readonly checkToken: (token: string) => Promise<User | Refusal>;
  /** Whether a token opens the room of this object. */
  readonly opens: (user: User) => boolean;
  /** Begins another turn, since whatever is awaited ends the present one. */
  readonly turn: (act: (now: number) => void) => void;
}

type SubscribeMessage = ClientMessage & { readonly type: 'subscribe' };
type User = Identification & { readonly kind: 'user' };
type Refusal = Identification & { readonly kind: 'refused' };

export class Conversation {
  readonly #ports: ConversationPorts;

  constructor(ports: ConversationPorts) {
    this.#ports = ports;
  }

  /** Reads a message, and does what it asks. Resolves when that is done. */
  read(session: Session, data: string | ArrayBuffer, now: number): Promise<void> | void {
    if (!session.messages.affords(now)) return session.dismiss('too_many_messages');
    session.messages.spend(1, now);
    if (!session.output.canBeAnswered) return session.dismiss('slow_consumer');
    const reading = readMessage(data);
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

  #obey(session: Session, message: ClientMessage, now: number): Promise<void> | void {
    if (message.type === 'auth') return this.#authenticate(session, message.id, message.token);
    const channel = this.#ports.channelOf(normalRoomName(message.room));
    if (channel === undefined) {
      const text = `this socket is of ${this.#ports.room}: connect to the other room`;
      const id = message.type === 'ack' ? undefined : message.id;
      return session.refuse('room_elsewhere', text, id, message.room);
    }
    switch (message.type) {
      case 'subscribe':
        return this.#subscribe(session, channel, message, now);
      case 'unsubscribe':
        return session.unsubscribe(channel.room, message.id, now);
      case 'ack':
        return session.acknowledge(channel.room, message.seq, now);
      default:
        return unreachable(message);
    }
  }

  #subscribe(session: Session, channel: ReadChannel, message: SubscribeMessage, now: number): void {
    const { output } = session;
    const before = output.sent;
    session.subscribe(channel, message, now);
    session.messages.spend((output.sent - before) / ANSWER_CHARACTERS_PER_MESSAGE, now);
  }

  /** Takes a new token for the old one: of the same user, and as good for this room. */
  async #authenticate(session: Session, id: RequestId | undefined, token: string): Promise<void> {
    const { sessions, checkToken, opens, turn } = this.#ports;
    const identity = await checkToken(token);
    turn(() => {
      // The session may have ended, or been dismissed, while the token was checked.
      if (!sessions.holds(session)) return;
      if (identity.kind === 'refused') {
        return session.refuse(identity.code, 'the token does not hold', id);
      }
      const { user } = session.identity;
      const isOther = user !== undefined && identity.user !== user;
      if (isOther || !opens(identity)) {
        return session.refuse('room_forbidden', 'the token is not for this socket', id);
      }
      session.renew(sessionIdentity(identity));
      sessions.noteEnd(session.identity);
    });
  }

  #complain(session: Session, complaint: string, id: RequestId | undefined): void {
    session.invalidMessages++;
    if (session.invalidMessages > MAX_INVALID_MESSAGES) session.dismiss('message_invalid');
    else session.refuse('message_invalid', complaint, id);
  }
}
