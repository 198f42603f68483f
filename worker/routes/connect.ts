/**
 * GET /v1/rooms/{room}?since=epoch:seq&maxRate=N&system=epoch:seq|off: a WebSocket, held in the room's
 * own object, subscribed to it and to `system`. Whether the client may join is decided here, before the
 * object is called.
 */
import { Hono } from 'hono';
import { subprotocolsOf } from '../auth/token.ts';
import type { Env } from '../env.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { parseCursor, SUBPROTOCOL } from '../protocol/frames.ts';
import { MAX_RATES } from '../protocol/messages.ts';
import { refuse, refuseUnavailable } from '../refusal.ts';
import { encodeJoiner, JOINER_HEADER } from '../room/durable-object.ts';
import type { Joiner } from '../room/ports.ts';
import { admitReader } from './reader.ts';

export const connect = new Hono<{ Bindings: Env }>().get('/:room', async (c) => {
  const reader = await admitReader(c, c.req.param('room'));
  if (reader.kind === 'refused') return refuse(c, reader.code, reader.message);
  const { since: sinceText, maxRate: rateText, system: systemText } = c.req.query();
  const since = sinceText === undefined ? undefined : parseCursor(sinceText);
  if (sinceText !== undefined && since === undefined) {
    return refuse(c, 'cursor_invalid', 'since is epoch:seq');
  }
  const maxRate = MAX_RATES.find((rate) => String(rate) === rateText);
  if (rateText !== undefined && maxRate === undefined) {
    return refuse(c, 'rate_invalid', `maxRate is one of ${MAX_RATES.join(', ')}`);
  }
  const system = systemText === 'off' ? 'off' : parseCursor(systemText ?? '');
  if (systemText !== undefined && system === undefined) {
    return refuse(c, 'cursor_invalid', 'system is epoch:seq, or off');
  }
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
    c.header('Upgrade', 'websocket');
    return refuse(c, 'upgrade_required', 'a room is joined by a WebSocket');
  }
  const joiner: Joiner = { ...reader.identity, since, maxRate, system };
  const headersOfJoiner = { Upgrade: 'websocket', [JOINER_HEADER]: encodeJoiner(joiner) };
  const response = await reader.call((room) =>
    room.fetch('https://room/', { headers: headersOfJoiner }),
  );
  if ('kind' in response) return refuseUnavailable(c, response);
  if (response.status === HTTP_ERRORS.room_full.status) {
    return refuse(c, 'room_full', 'this room holds as many sockets as it may');
  }
  const headers = new Headers(response.headers);
  if (subprotocolsOf(c.req.raw.headers).includes(SUBPROTOCOL)) {
    headers.set('Sec-WebSocket-Protocol', SUBPROTOCOL);
  }
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
});
