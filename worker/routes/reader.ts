/** Says who asks for a room, and whether they may read it: for a socket as for its history. */
import type { Context } from 'hono';
import { type AccessDecision, accessTo } from '../auth/access.ts';
import { identify, sessionIdentity, type TokenRefusal } from '../auth/token.ts';
import { type Config, configOf } from '../config.ts';
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
  | Refusal;

interface Refusal {
  readonly kind: 'refused';
  readonly code: HttpErrorCode;
  readonly message: string;
}

const MESSAGES: Readonly<Record<TokenRefusal | Exclude<AccessDecision, 'granted'>, string>> = {
  token_missing: 'this room needs a token, and there was none',
  room_forbidden: 'the token does not open this room',
  token_invalid:
    'the token is not signed with JWT_SECRET by HS256, or its sub or exp cannot be used',
  token_expired: 'the token has ended',
  token_not_yet: 'the token does not hold yet',
};

export async function admitReader(c: Context<{ Bindings: Env }>, name: string): Promise<Reader> {
  const config = await configOf(c.env);
  const parsed = parseRoomName(name);
  if (parsed === undefined) return refused('room_invalid', 'no room can be called that');
  const room = nameOfRoom(parsed);
  if (!config.symbols.hasRoom(room))
    return refused('symbol_unknown', 'this gateway has no such symbol');
  const identified = await identifyReader(c, config);
  if (identified.kind === 'refused') return identified;
  const { identity } = identified;
  const access = accessTo(parsed, identity);
  if (access !== 'granted') return refused(access, MESSAGES[access]);
  return {
    kind: 'admitted',
    call: (call) => callRoom({ room, stub: () => roomStub(c.env, config, room), call }),
    identity,
  };
}

/** Who asks, whatever for. */
export async function identifyReader(
  c: Context<{ Bindings: Env }>,
  config: Config,
): Promise<{ readonly kind: 'identified'; readonly identity: Identity } | Refusal> {
  const identity = await identify(c.req.raw.headers, config.jwtSecret);
  if (identity.kind === 'refused') return refused(identity.code, MESSAGES[identity.code]);
  return { kind: 'identified', identity: sessionIdentity(identity) };
}

function refused(code: HttpErrorCode, message: string): Refusal {
  return { kind: 'refused', code, message };
}
