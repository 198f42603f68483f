/** Says who asks for a room, and whether they may read it: for a socket as for its history. */
import type { Context } from 'hono';
import { accessTo } from '../auth/access.ts';
import { identify, sessionIdentity } from '../auth/token.ts';
import { configOf } from '../config.ts';
import type { Env } from '../env.ts';
import type { HttpErrorCode } from '../protocol/codes.ts';
import { nameOfRoom, parseRoomName } from '../protocol/rooms.ts';
import type { Room } from '../room/durable-object.ts';
import type { Identity } from '../room/session/session.ts';
import { roomStub } from '../room-stub.ts';

export type Reader =
  | {
      readonly kind: 'admitted';
      readonly room: DurableObjectStub<Room>;
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
  const room = roomStub(c.env, config, nameOfRoom(parsed));
  return { kind: 'admitted', room, identity: sessionIdentity(identity) };
}

function refused(code: HttpErrorCode, message: string): Reader {
  return { kind: 'refused', code, message };
}
