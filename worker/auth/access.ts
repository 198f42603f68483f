/** Whether an identity may join a room. */
import { ROOM_ACCESS, type RoomName } from '../protocol/rooms.ts';
import { unreachable } from '../protocol/unreachable.ts';

export type AccessDecision = 'granted' | 'token_missing' | 'room_forbidden';

/** What a token says, as far as it opens rooms; nothing for somebody without a token. */
export interface Rights {
  readonly kind?: unknown;
  readonly user?: string | undefined;
  /** The custom rooms that the token grants. */
  readonly rooms?: readonly string[] | undefined;
}

export function accessTo(room: RoomName, { user, rooms = [] }: Rights): AccessDecision {
  const access = ROOM_ACCESS[room.class];
  if (access === 'anyone') return 'granted';
  if (user === undefined) return 'token_missing';
  switch (access) {
    case 'user':
      return user === room.id ? 'granted' : 'room_forbidden';
    case 'grant':
      return rooms.includes(room.id) ? 'granted' : 'room_forbidden';
    default:
      return unreachable(access);
  }
}
