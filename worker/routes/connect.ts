/**
 * GET /v1/rooms/{room}?since=epoch:seq&maxRate=N&system=epoch:seq&trace=on: a WebSocket, held in the
 * room's own object and subscribed to it, and to `system` unless that is `off`. Whether the client may
 * join is decided here, before the object is called.
 */
import { Hono } from 'hono';
import type { Env } from '../env.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { parseCursor } from '../protocol/frames.ts';
import { MAX_RATES } from '../protocol/messages.ts';
import { refuse, refuseUnavailable } from '../refusal.ts';
import { admitReader } from './reader.ts';
import { handOver, readSystem, readTrace, refuseOther, requestSocket } from './upgrade.ts';

export const connect = new Hono<{ Bindings: Env }>().get('/:room', async (c) => {
  const reader = await admitReader(c, c.req.param('room'));
  if (reader.kind === 'refused') return refuse(c, reader.code, reader.message);
  const { since: sinceText, maxRate: rateText } = c.req.query();
  const since = sinceText === undefined ? undefined : parseCursor(sinceText);
  if (sinceText !== undefined && since === undefined) {
    return refuse(c, 'cursor_invalid', 'since is epoch:seq');
  }
  const maxRate = MAX_RATES.find((rate) => String(rate) === rateText);
  if (rateText !== undefined && maxRate === undefined) {
    return refuse(c, 'rate_invalid', `maxRate is one of ${MAX_RATES.join(', ')}`);
  }
  const system = readSystem(c);
  if (system instanceof Response) return system;
  const isTraced = readTrace(c);
  if (isTraced instanceof Response) return isTraced;
  const refusal = refuseOther(c);
  if (refusal !== undefined) return refusal;
  const joiner = { ...reader.identity, since, maxRate, system, isTraced };
  const response = await reader.call((room) => requestSocket(c.env, room, joiner));
  if ('kind' in response) return refuseUnavailable(c, response);
  if (response.status === HTTP_ERRORS.room_full.status) {
    return refuse(c, 'room_full', 'this room holds as many sockets as it may');
  }
  return handOver(c, response);
});
