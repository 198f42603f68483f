/**
 * A room watched over one bare WebSocket: tells what arrives, comes back when the connection is
 * lost, and then asks for what it missed.
 */
import * as v from 'valibot';
import { CLOSE_CODES, HTTP_ERRORS } from '../../worker/protocol/codes.ts';
import {
  BEARER_SUBPROTOCOL_PREFIX,
  type Cursor,
  SUBPROTOCOL,
} from '../../worker/protocol/frames.ts';
import { type BackoffBounds, backoffMs, type Pause, pause } from '../backoff.ts';
import { type ReceivedFrame, readFrame } from './received-frame.ts';

const BACKOFF: BackoffBounds = { baseMs: 250, capMs: 10_000 };

export interface WatchOptions {
  /** `ws://localhost:3007` */
  readonly url: string;
  readonly room: string;
  readonly token: string | undefined;
  readonly onFrame: (text: string, frame: ReceivedFrame | undefined) => void;
  /** What happens to the connection. */
  readonly onNote: (note: string) => void;
  readonly pause?: Pause;
}

type Ended =
  | { readonly kind: 'lost'; readonly opened: boolean; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Watches until `signal` aborts or the room refuses for good, and then tells why. */
export async function watchRoom(
  options: WatchOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { room, onFrame, onNote, pause: wait = pause } = options;
  let cursor: Cursor | undefined;
  const onText = (text: string) => {
    const frame = readFrame(text);
    // Other rooms have numbers of their own.
    if (frame?.room === room) cursor = cursorAfter(frame, cursor);
    onFrame(text, frame);
  };
  for (let failures = 0; ; failures++) {
    const ended = await connect(options, cursor, onText, signal);
    if (signal.aborted) return undefined;
    if (ended.kind === 'refused') return ended.reason;
    if (ended.opened) failures = 0;
    const ms = backoffMs(failures, BACKOFF);
    onNote(`${ended.reason}; connecting again in ${(ms / 1000).toFixed(1)} s`);
    await wait(ms, signal);
    if (signal.aborted) return undefined;
  }
}

/** Where `frame` leaves a cursor of its room. */
export function cursorAfter(frame: ReceivedFrame, cursor: Cursor | undefined): Cursor | undefined {
  const { type, epoch, seq, recovered, events } = frame;
  if (type === 'events') {
    const last = events.at(-1);
    return cursor === undefined || last === undefined ? cursor : { ...cursor, seq: last.seq };
  }
  // A recovered subscription goes on from the cursor; what was missed follows in `events`.
  if (epoch === undefined || seq === undefined || recovered) return cursor;
  return { epoch, seq };
}

/** One connection, from its start to its end. */
async function connect(
  { url, room, token, onNote }: WatchOptions,
  cursor: Cursor | undefined,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Ended> {
  const address = new URL(`/v1/rooms/${encodeURIComponent(room)}`, url);
  if (cursor !== undefined) address.searchParams.set('since', `${cursor.epoch}:${cursor.seq}`);
  const socket =
    token === undefined
      ? new WebSocket(address)
      : new WebSocket(address, [SUBPROTOCOL, `${BEARER_SUBPROTOCOL_PREFIX}${token}`]);
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let opened = false;
  socket.onopen = () => {
    opened = true;
    onNote('connected');
  };
  socket.onmessage = ({ data }) => onText(String(data));
  socket.onclose = ({ code, reason }) => {
    const what = `closed (${code}${reason === '' ? '' : `, ${reason}`})`;
    resolve(
      isFinal(code) ? { kind: 'refused', reason: what } : { kind: 'lost', opened, reason: what },
    );
  };
  const abort = () => {
    socket.close();
    // Not waiting for the other side to close too.
    resolve({ kind: 'lost', opened, reason: 'ended' });
  };
  signal.addEventListener('abort', abort);
  const ended = await promise;
  signal.removeEventListener('abort', abort);
  return ended.kind === 'refused' || opened || signal.aborted ? ended : askWhy(address, token);
}

function isFinal(code: number): boolean {
  return Object.values(CLOSE_CODES).some(({ close, retry }) => close === code && !retry);
}

const refusalSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

/** A WebSocket does not tell why its upgrade was refused; a plain request to the same place does. */
async function askWhy(address: URL, token: string | undefined): Promise<Ended> {
  const url = new URL(address);
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(url, { headers });
    const refusal = v.safeParse(refusalSchema, await answer.json());
    if (!refusal.success)
      return { kind: 'lost', opened: false, reason: `answered ${answer.status}` };
    const { code, message } = refusal.output.error;
    const reason = `refused (${code}: ${message})`;
    return isPassing(code) ? { kind: 'lost', opened: false, reason } : { kind: 'refused', reason };
  } catch {
    return { kind: 'lost', opened: false, reason: 'no answer' };
  }
}

/** `upgrade_required` means that all would be well by now. */
function isPassing(code: string): boolean {
  const known = Object.entries(HTTP_ERRORS).find(([name]) => name === code);
  return known === undefined || known[1].retry || code === 'upgrade_required';
}
