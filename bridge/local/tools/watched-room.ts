/** A room watched by the client SDK: tells each frame as it came, and what happens to the connection. */
import { type ConnectionStatus, GatewayClient } from '../../../worker/client/index.ts';
import { type ReceivedFrame, readFrame } from './received-frame.ts';

export interface WatchOptions {
  /** `ws://localhost:3007` */
  readonly url: string;
  readonly room: string;
  readonly token: string | undefined;
  /** Whether the frames of `system` come as well, which every socket brings unless it declines. */
  readonly system: boolean;
  readonly onFrame: (text: string, frame: ReceivedFrame | undefined) => void;
  /** What happens to the connection. */
  readonly onNote: (note: string) => void;
}

/** Watches until `signal` aborts or the room refuses for good, and then tells why. */
export function watchRoom(options: WatchOptions, signal: AbortSignal): Promise<string | undefined> {
  const { url, room, token = '', system, onFrame, onNote } = options;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const parse = (text: string): unknown => {
    onFrame(text, readFrame(text));
    return JSON.parse(text);
  };
  const client = new GatewayClient({ url, token, system, parse });
  let isStopped = false;
  client.on('error', ({ code, message }) => {
    // Why a room stops for good is the result.
    if (!isStopped) onNote(`${code}: ${message}`);
  });
  client.on('status', (status) => {
    const note = noteOf(status, url);
    if (note !== undefined) onNote(note);
    isStopped = status.state === 'stopped';
    if (isStopped) resolve(signal.aborted ? undefined : status.reason);
  });
  // All is told by `parse`; without a handler the events would be kept for a loop.
  client.subscribe(room, { signal, onEvent: () => {} });
  if (signal.aborted) resolve(undefined);
  return promise;
}

function noteOf(
  { state, reason, retryInMs = 0 }: ConnectionStatus,
  url: string,
): string | undefined {
  if (state === 'open') return 'connected';
  if (state !== 'waiting') return undefined;
  const what = reason === 'no answer' ? `no answer from ${url}` : reason;
  return `${what}; connecting again in ${(retryInMs / 1000).toFixed(1)} s`;
}
