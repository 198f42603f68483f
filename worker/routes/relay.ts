/**
 * GET /v1/ws?system=epoch:seq&home=…&trace=on: a WebSocket that is held in a relay near the client, over
 * which it subscribes to as many rooms as it likes.
 */
import { type Context, Hono } from 'hono';
import { type Config, configOf } from '../config.ts';
import type { Env } from '../env.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { refuse, refuseUnavailable } from '../refusal.ts';
import {
  chooseRelay,
  homeOf,
  MOST_TRIES,
  nameOfRelay,
  networkOf,
  noteFull,
  readHome,
  regionOfClient,
} from '../relays.ts';
import type { Branch } from '../room/follow/branches.ts';
import { callRoom, objectStub } from '../room-call.ts';
import { identifyReader } from './reader.ts';
import { handOver, readSystem, readTrace, refuseOther, requestSocket } from './upgrade.ts';

export const relay = new Hono<{ Bindings: Env }>().get('/', async (c) => {
  const config = await configOf(c.env);
  const reader = await identifyReader(c, config);
  if (reader.kind === 'refused') return refuse(c, reader.code, reader.message);
  const system = readSystem(c);
  if (system instanceof Response) return system;
  const isTraced = readTrace(c);
  if (isTraced instanceof Response) return isTraced;
  const refusal = refuseOther(c);
  if (refusal !== undefined) return refusal;
  const now = Date.now();
  for await (const place of placesFor(c, config, now)) {
    const path = await homeOf(config, place, now);
    // Whoever comes back by it goes on with the trace.
    const home = isTraced ? `${path}&trace=on` : path;
    const anew = { since: undefined, maxRate: undefined };
    const address = networkOf(c.req.header('cf-connecting-ip'));
    const joiner = { ...reader.identity, ...anew, system, home, address, isTraced };
    const object = nameOfRelay(place);
    const response = await callRoom({
      room: object,
      stub: () => objectStub(c.env, object),
      call: (stub) => requestSocket(c.env, stub, joiner),
    });
    if ('kind' in response) return refuseUnavailable(c, response);
    if (response.status !== HTTP_ERRORS.room_full.status) return handOver(c, response);
    noteFull(place, now);
  }
  return refuse(c, 'room_full', 'the relays hold as many sockets as they may');
});

/** The relays to try: the client's home, and then others that may have space. */
async function* placesFor(
  c: Context<{ Bindings: Env }>,
  config: Config,
  now: number,
): AsyncGenerator<Branch> {
  const home = await readHome(config, c.req.query('home') ?? '', now);
  if (home !== undefined) yield home;
  const region = regionOfClient(c.env, c.req.raw);
  yield chooseRelay(region, 'all', now);
  for (let tries = 1; tries < MOST_TRIES; tries++) yield chooseRelay(region, 'newest', now);
}
