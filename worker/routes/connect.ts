/**
 * GET /v1/rooms/{room}?since=epoch:seq: a WebSocket, held in the room's own object and subscribed
 * to it. Who may join is settled here, before the object is called.
 */
import { Hono } from 'hono';
import { accessTo } from '../auth/access.ts';
import { identify, subprotocolsOf } from '../auth/token.ts';
import { configOf } from '../config.ts';
import type { Env } from '../env.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { parseCursor, SUBPROTOCOL } from '../protocol/frames.ts';
import { parseRoomName } from '../protocol/rooms.ts';
import { refuse } from '../refusal.ts';
import type { Joiner } from '../room/joining.ts';
import { JOINER_HEADER } from '../room/room.ts';
import { roomStub } from './room-stub.ts';

export const connect = new Hono<{ Bindings: Env }>().get('/:room', async (c) => {
  const config = await configOf(c.env);
  const name = c.req.param('room');
  const room = parseRoomName(name);
  if (room === undefined) return refuse(c, 'room_invalid', 'no room can be called that');
  const identity = await identify(c.req.raw.headers, config.jwtSecret);
  if (identity.kind === 'refused') return refuse(c, identity.code, 'the token does not hold');
  const access = accessTo(room, identity);
  if (access !== 'granted') return refuse(c, access, 'this room is not open to everyone');
  const sinceText = c.req.query('since');
  const since = sinceText === undefined ? undefined : parseCursor(sinceText);
  if (sinceText !== undefined && since === undefined) {
    return refuse(c, 'cursor_invalid', 'since is epoch:seq');
  }
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
    c.header('Upgrade', 'websocket');
    return refuse(c, 'upgrade_required', 'a room is joined by a WebSocket');
  }
  const joiner: Joiner =
    identity.kind === 'anonymous'
      ? { user: undefined, tokenExpiresAt: undefined, since }
      : { user: identity.user, tokenExpiresAt: identity.expiresAt, since };
  const response = await roomStub(c.env, config, name).fetch('https://room/', {
    headers: { Upgrade: 'websocket', [JOINER_HEADER]: JSON.stringify(joiner) },
  });
  if (response.status === HTTP_ERRORS.room_full.status) {
    return refuse(c, 'room_full', 'this room holds as many sockets as it may');
  }
  const headers = new Headers(response.headers);
  if (subprotocolsOf(c.req.raw.headers).includes(SUBPROTOCOL)) {
    headers.set('Sec-WebSocket-Protocol', SUBPROTOCOL);
  }
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
});
