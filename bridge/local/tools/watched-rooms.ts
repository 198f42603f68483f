/** Rooms watched by the client SDK, over one connection: each frame as it comes, and how each room is doing. */
import { type ConnectionStatus, GatewayClient } from '../../../worker/client/index.ts';
import { type ReceivedFrame, readFrames } from './received-frame.ts';

export interface WatchOptions {
  /** `ws://localhost:3007` */
  readonly url: string;
  readonly rooms: readonly string[];
  readonly token: string | undefined;
  readonly onFrame: (frame: ReceivedFrame) => void;
  /** What happens to a room, or to the connection. */
  readonly onNote: (room: string, note: string) => void;
}

/** Watches until `signal` aborts or all rooms have refused for good. */
export async function watchRooms(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { url, rooms, token = '', onFrame, onNote } = options;
  const parse = (text: string): unknown => {
    for (const frame of readFrames(text)) onFrame(frame);
    return JSON.parse(text);
  };
  // The alerts of `system` would be printed twice: by every connection, and by the room.
  const client = new GatewayClient({ url, token, system: !rooms.includes('system'), parse });
  const refused = new Set<string>();
  client.on('status', (status, room) => {
    if (status.state === 'stopped') refused.add(room);
    const note = noteOf(status, url);
    if (note !== undefined) onNote(room, note);
  });
  client.on('error', ({ code, message, room = url }) => {
    // The status of a room says why it has stopped for good.
    if (!refused.has(room)) onNote(room, `${code}: ${message}`);
  });
  await Promise.all(rooms.map((room) => watchRoom(client, room, signal)));
  client.close();
}

/** Resolves when the room has stopped. Its frames go to `parse`. */
function watchRoom(client: GatewayClient, room: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  signal.addEventListener('abort', () => resolve());
  // Without a handler the events would be kept for a loop.
  const onStatus = ({ state }: ConnectionStatus) => state === 'stopped' && resolve();
  client.subscribe(room, { signal, onStatus, onEvent: () => {} });
  return promise;
}

function noteOf(
  { state, code, reason, retryInMs = 0 }: ConnectionStatus,
  url: string,
): string | undefined {
  if (state === 'open') return 'connected';
  if (state === 'stopped' && code !== 'closed') return reason;
  if (state !== 'waiting') return undefined;
  const what = reason === 'no answer' ? `no answer from ${url}` : reason;
  return `${what}; connecting again in ${(retryInMs / 1000).toFixed(1)} s`;
}
