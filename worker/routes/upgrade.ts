/** Turns an upgrade request into a socket that an object holds. */
import type { Context } from 'hono';
import { subprotocolsOf } from '../auth/token.ts';
import type { Env } from '../env.ts';
import { type Cursor, parseCursor, SUBPROTOCOL } from '../protocol/frames.ts';
import { refuse } from '../refusal.ts';
import { encodeJoiner, JOINER_HEADER } from '../room/durable-object.ts';
import type { Joiner } from '../room/ports.ts';
import type { RoomStub } from '../room-call.ts';
import { versionHeader, versionOf } from '../version.ts';

type GatewayContext = Context<{ Bindings: Env }>;

/** Where a client says that it stands in `system`; a response says that it cannot stand there. */
export function readSystem(c: GatewayContext): Cursor | 'off' | undefined | Response {
  const text = c.req.query('system');
  if (text === undefined || text === 'off') return text;
  return parseCursor(text) ?? refuse(c, 'cursor_invalid', 'system is epoch:seq, or off');
}

/** Whether a client asks for the times of events; a response says that it cannot ask so. */
export function readTrace(c: GatewayContext): boolean | Response {
  const text = c.req.query('trace') ?? 'off';
  if (text === 'on' || text === 'off') return text === 'on';
  return refuse(c, 'trace_invalid', 'trace is on or off');
}

/** Refuses a request that is no upgrade. */
export function refuseOther(c: GatewayContext): Response | undefined {
  if (c.req.header('upgrade')?.toLowerCase() === 'websocket') return undefined;
  c.header('Upgrade', 'websocket');
  return refuse(c, 'upgrade_required', 'a room is joined by a WebSocket');
}

/** Asks an object to hold the socket. */
export function requestSocket(env: Env, object: RoomStub, joiner: Joiner): Promise<Response> {
  const headers = {
    Upgrade: 'websocket',
    [JOINER_HEADER]: encodeJoiner(joiner),
    ...versionHeader(versionOf(env)),
  };
  return object.fetch('https://room/', { headers });
}

/** Hands the client the socket that an object holds. */
export function handOver(c: GatewayContext, response: Response): Response {
  const headers = new Headers(response.headers);
  if (subprotocolsOf(c.req.raw.headers).includes(SUBPROTOCOL)) {
    headers.set('Sec-WebSocket-Protocol', SUBPROTOCOL);
  }
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
}
