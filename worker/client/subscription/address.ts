/** Where the sockets of a client go to. */
import type { Cursor } from '../../protocol/frames.ts';
import { systemRoom } from '../connection/wire.ts';
import type { Request } from './room-stream.ts';

export interface Destination {
  /** Of the gateway, `wss://gateway.example`. */
  readonly url: URL;
  /** The room that the address names, and what it is asked for; without, a relay's address. */
  readonly room: string | undefined;
  readonly request: Request | undefined;
  /** What `system` is asked for; without, it is declined, unless it is the room itself. */
  readonly system: Request | undefined;
}

/** @param home where the gateway wants the client back. */
export function addressOf({ url, room, request, system }: Destination, home?: string): URL {
  const door = new URL(url);
  const path = room === undefined ? 'ws' : `rooms/${encodeURIComponent(room)}`;
  door.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${path}`;
  const wanted = home && URL.canParse(home, url) ? new URL(home, url) : door;
  // The token goes to no other gateway, whatever a frame says.
  const address = wanted.host === url.host ? wanted : door;
  address.protocol = url.protocol;
  const { searchParams } = address;
  if (request?.since) searchParams.set('since', textOf(request.since));
  if (request?.maxRate) searchParams.set('maxRate', String(request.maxRate));
  if (system?.since) searchParams.set(systemRoom, textOf(system.since));
  if (!system && room !== systemRoom) searchParams.set(systemRoom, 'off');
  return address;
}

function textOf({ epoch, seq }: Cursor): string {
  return `${epoch}:${seq}`;
}
