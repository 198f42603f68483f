/** Whether an identity may join a room. */
import { ROOM_ACCESS, type RoomName } from '../protocol/rooms.ts';
import { unreachable } from '../protocol/unreachable.ts';
import type { Identity } from './token.ts';

export type AccessDecision = 'granted' | 'token_missing' | 'room_forbidden';

export function accessTo(room: RoomName, identity: Identity): AccessDecision {
  const access = ROOM_ACCESS[room.class];
  if (access === 'anyone') return 'granted';
  if (identity.kind === 'anonymous') return 'token_missing';
  switch (access) {
    case 'user':
      return identity.user === room.id ? 'granted' : 'room_forbidden';
    case 'grant':
      return identity.rooms.includes(room.id) ? 'granted' : 'room_forbidden';
    default:
      return unreachable(access);
  }
}
