/** Says who asks for a room, and whether they may read it: for a socket as for its history. */
import type { Context } from 'hono';
import { accessTo } from '../auth/access.ts';
import { identify, sessionIdentity } from '../auth/token.ts';
import { configOf } from '../config.ts';
import type { Env } from '../env.ts';
import type { HttpErrorCode } from '../protocol/codes.ts';
import { nameOfRoom, parseRoomName } from '../protocol/rooms.ts';
import type { Identity } from '../room/session/session.ts';
import { callRoom, type RoomFailure, type RoomStub, roomStub } from '../room-call.ts';

export type Reader =
  | {
      readonly kind: 'admitted';
      /** Calls the room that is asked for. */
      readonly call: <Result>(
        call: (room: RoomStub) => Promise<Result>,
      ) => Promise<Result | RoomFailure>;
      readonly identity: Identity;
    }
  | { readonly kind: 'refused'; readonly code: HttpErrorCode; readonly message: string };

export async function admitReader(c: Context<{ Bindings: Env }>, name: string): Promise<Reader> {
  const config = await configOf(c.env);
  const parsed = parseRoomName(name);
  if (parsed === undefined) return refused('room_invalid', 'no room can be called that');
  const identity = await identify(c.req.raw.headers, config.jwtSecret);
  if (identity.kind === 'refused') return refused(identity.code, 'the token does not hold');
  const access = accessTo(parsed, identity);
  if (access !== 'granted') return refused(access, 'this room is not open to everyone');
  const room = nameOfRoom(parsed);
  return {
    kind: 'admitted',
    call: (call) => callRoom({ room, stub: () => roomStub(c.env, config, room), call }),
    identity: sessionIdentity(identity),
  };
}

function refused(code: HttpErrorCode, message: string): Reader {
  return { kind: 'refused', code, message };
}
