/**
 * The frames, version 1: what a room sends over a socket. An entry's JSON is composed once, when it
 * is appended, and a frame once for all members at the same cursor, so the encoders here join texts
 * that are JSON already and never parse them again.
 */
import type { SocketErrorCode } from './codes.ts';

export const PROTOCOL_VERSION = 1;
/** The subprotocol that a client offers and the gateway echoes. */
export const SUBPROTOCOL = 'gateway.v1';
/** A browser's token travels as a second subprotocol, `bearer.<jwt>`, which is never echoed. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
/** A client's sign of life, answered without waking the room. */
export const PING = 'ping';
export const PONG = 'pong';

/** An event with its number, as it stands in `events` and `snapshot` frames. */
export interface NumberedEvent {
  readonly seq: number;
  readonly event: unknown;
}

/** First on every socket. `expiresAt`: when the token ends, Unix ms. */
export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: typeof PROTOCOL_VERSION;
  readonly user?: string;
  readonly expiresAt?: number;
  /** `messageLength`: of what the client sends, in characters. */
  readonly limits: { readonly messageLength: number };
}

/**
 * The socket is a member, and stands at `seq` once it has what follows at once: with `recovered`
 * every event after `since` (none when all have expired), else the snapshot.
 */
export interface Subscribed {
  readonly type: 'subscribed';
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
  readonly recovered: boolean;
}

/** Latest event per key, or the recent tail: the state at `seq`, to which `events` joins on. */
export interface Snapshot {
  readonly type: 'snapshot';
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
  readonly events: readonly NumberedEvent[];
}

/** Everything in `(after, last seq]`; `after` is the member's cursor before this frame. */
export interface Events {
  readonly type: 'events';
  readonly room: string;
  readonly after: number;
  readonly events: readonly NumberedEvent[];
}

/** What `(from, to]` held cannot be had any more; the snapshot follows. */
export interface Gap {
  readonly type: 'gap';
  readonly room: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
}
/** `epoch`: the log was numbered anew. `trimmed`: the cursor fell off the tail. */
export type GapReason = 'epoch' | 'trimmed';

/** A message of the client's that was refused. */
export interface SocketError {
  readonly type: 'error';
  readonly code: SocketErrorCode;
  readonly message: string;
}

export type RoomFrame = Welcome | Subscribed | Snapshot | Events | Gap | SocketError;

/** Encodes a frame that holds no events. */
export function encodeFrame(frame: Welcome | Subscribed | Gap | SocketError): string {
  return JSON.stringify(frame);
}

/** `{"seq":12,"event":{…}}`, `event` being JSON text. */
export function encodeEntry(seq: number, event: string): string {
  return `{"seq":${seq},"event":${event}}`;
}

/** `entries` as `encodeEntry` made them, joined by commas. */
export function encodeEvents(room: string, after: number, entries: string): string {
  return `{"type":"events","room":${JSON.stringify(room)},"after":${after},"events":[${entries}]}`;
}

/** `entries` as `encodeEntry` made them, joined by commas. */
export function encodeSnapshot(room: string, epoch: number, seq: number, entries: string): string {
  return `{"type":"snapshot","room":${JSON.stringify(room)},"epoch":${epoch},"seq":${seq},"events":[${entries}]}`;
}

/** A place in a room's log: everything up to `seq` of `epoch` has been received. */
export interface Cursor {
  readonly epoch: number;
  readonly seq: number;
}

const CURSOR_PATTERN = /^([0-9]{1,15}):([0-9]{1,15})$/;

/** The cursor that `since=epoch:seq` names. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR_PATTERN.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
}
