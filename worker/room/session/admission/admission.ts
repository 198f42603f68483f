/** Which rooms a session may subscribe to, over the socket that it has. */
import { accessTo } from '../../../auth/access.ts';
import type { SocketErrorCode } from '../../../protocol/codes.ts';
import { parseRoomName, type RoomName } from '../../../protocol/rooms.ts';
import type { Symbols } from '../../../symbols.ts';
import type { Session } from '../session.ts';
import type { ReadChannel } from '../subscription.ts';
import type { EventlessRooms } from './eventless-rooms.ts';
import type { Space } from './space.ts';

export interface Refused {
  readonly code: SocketErrorCode;
  readonly message: string;
}

export interface Admission {
  /** Why a session may not ask for a room by this name now; undefined when it may. */
  refusal(session: Session, room: string, now: number): Refused | undefined;
  /**
   * The channel of a room that a session may ask for, or why it is not had all the same.
   *
   * @param space what is left for the message that asks.
   */
  channelOf(session: Session, room: string, space: Space, now: number): ReadChannel | Refused;
}

type ChannelOf = (room: string) => ReadChannel | undefined;

/** The sockets of a room's own object: that room, and `system`. */
export function admissionToOne(room: string, channelOf: ChannelOf): Admission {
  const elsewhere = refused(
    'room_elsewhere',
    `this socket is of ${room}: connect to the other room`,
  );
  return {
    refusal: (_session, wanted) => (channelOf(wanted) === undefined ? elsewhere : undefined),
    channelOf: (_session, wanted) => channelOf(wanted) ?? elsewhere,
  };
}

/** The sockets of a relay: every room that the session's token opens, as far as it can be remembered. */
export function admissionToAll(
  channelOf: ChannelOf,
  symbols: Pick<Symbols, 'hasRoom'>,
  eventless: EventlessRooms,
): Admission {
  return {
    refusal: (session, wanted, now) => {
      const name = parseRoomName(wanted);
      if (name === undefined) return refused('room_invalid', 'no room can be called that');
      if (!symbols.hasRoom(wanted)) {
        return refused('symbol_unknown', 'this gateway has no such symbol');
      }
      const access = accessTo(name, session.identity);
      if (access !== 'granted') return refused(access, 'the token does not open this room');
      const { tokenExpiresAt = Number.POSITIVE_INFINITY } = session.identity;
      const hasEnded = takesToken(name) && tokenExpiresAt <= now;
      return hasEnded ? refused('token_expired', 'the token has ended') : undefined;
    },
    channelOf: (session, wanted, space, now) => {
      const isNew = !session.subscriptions.has(wanted);
      if (isNew && !space.isFor(wanted)) {
        return refused('rooms_too_many', 'this socket has as many rooms as it may');
      }
      if (!eventless.admits(wanted, session.address, now)) {
        return refused('room_unavailable', 'too many rooms without any event were asked for');
      }
      const channel = channelOf(wanted);
      if (channel === undefined) {
        return refused('room_unavailable', 'the relay has no memory left for it');
      }
      if (isNew) space.take(wanted);
      return channel;
    },
  };
}

/** Whether a room takes a token. */
export function isPrivate(room: string): boolean {
  const name = parseRoomName(room);
  return name !== undefined && takesToken(name);
}

function takesToken(room: RoomName): boolean {
  return accessTo(room, {}) !== 'granted';
}

function refused(code: SocketErrorCode, message: string): Refused {
  return { code, message };
}
