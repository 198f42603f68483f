/**
 * The frames, version 1: what a room sends over a socket. The JSON of an entry is composed once, when
 * it is appended, and a frame once for all members at the same cursor. So the encoders here join texts
 * that are JSON already, and never parse them again.
 */
import * as v from 'valibot';
import { NOTICES, SOCKET_ERROR_CODES } from './codes.ts';

export const PROTOCOL_VERSION = 1;
/** The subprotocol that a client offers and the gateway echoes. */
export const SUBPROTOCOL = 'gateway.v1';
/** A browser's token travels as a second subprotocol, `bearer.<jwt>`, which is never echoed. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
/** A client's sign of life, answered without waking the room. */
export const PING = 'ping';
export const PONG = 'pong';
/** How often a client should ping, ms: networks on the way forget a silent connection after 30 s. */
export const PING_EVERY = 25_000;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const cursorSchema = v.object({ epoch: whole, seq: whole });
// It is written out, because the client SDK publishes it, without the schema library.
/** A place in a room's log: everything up to `seq` of `epoch` has been received. */
export interface Cursor {
  epoch: number;
  seq: number;
}

/** What names a request: a text, or a number that every JSON parser reads alike. */
export const requestIdSchema = v.union([
  v.pipe(v.string(), v.maxLength(64)),
  v.pipe(v.number(), v.minValue(Number.MIN_SAFE_INTEGER), v.maxValue(Number.MAX_SAFE_INTEGER)),
]);
export type RequestId = v.InferOutput<typeof requestIdSchema>;
/** The `id` of the request that is answered, as it came, if it had one. */
const id = v.optional(requestIdSchema);

/** An event with its number, as it stands in `events` and `snapshot` frames. */
export const numberedEventSchema = v.object({ seq: whole, event: v.looseObject({}) });
export type NumberedEvent = v.InferOutput<typeof numberedEventSchema>;

// It is written out, because the client SDK publishes it, without the schema library.
/**
 * When an event passed each station of its way, Unix ms, by the clock of each; null where it is not
 * known: its record's time in Kafka, when the bridge made its batch, when the Worker received that, and
 * when the room appended it.
 */
export type Times = [
  kafka: number | null,
  bridge: number | null,
  worker: number | null,
  room: number,
];
const timesSchema = v.tuple([v.nullable(whole), v.nullable(whole), v.nullable(whole), whole]);

/** First on every socket, and again when a new token is taken. */
export const welcomeSchema = v.object({
  type: v.literal('welcome'),
  protocol: v.literal(PROTOCOL_VERSION),
  user: v.optional(v.string()),
  /** When the token ends, Unix ms. */
  expiresAt: v.optional(whole),
  limits: v.object({
    /** The longest message that the client may send, in characters. */
    messageLength: whole,
    /** How many characters of frames may be on their way to a client that acks. */
    window: whole,
    /** No frame is longer, in characters. */
    frameLength: whole,
    /** How many rooms this socket may be subscribed to beside `system`; absent where it is one. */
    rooms: v.optional(whole),
    /** How often a client should ping, ms: networks on the way cut sockets that are silent. */
    pingEvery: whole,
  }),
  /** What the client should know of its token, though it holds. */
  notices: v.optional(v.array(v.picklist(NOTICES))),
  /** The path of this gateway to come back to. Without it, the client comes back to where it is. */
  home: v.optional(v.string()),
});
export type Welcome = v.InferOutput<typeof welcomeSchema>;

/**
 * The socket is a member, and `seq` is the room's head. With `recovered` its cursor stands at the
 * `since` that it asked for, and everything that it missed follows as `events`. Without, its cursor
 * stands at `seq`, and the snapshot of the state there follows.
 */
export const subscribedSchema = v.object({
  type: v.literal('subscribed'),
  id,
  room: v.string(),
  epoch: whole,
  seq: whole,
  recovered: v.boolean(),
});
export type Subscribed = v.InferOutput<typeof subscribedSchema>;

/**
 * The state at `seq`, to which `events` joins on: the latest event per key, or the recent tail. A large
 * one comes in parts, whose events together are the state.
 */
export const snapshotSchema = v.object({
  type: v.literal('snapshot'),
  room: v.string(),
  epoch: whole,
  seq: whole,
  events: v.array(numberedEventSchema),
  /** Another part of this snapshot follows. */
  more: v.optional(v.literal(true)),
});
export type Snapshot = v.InferOutput<typeof snapshotSchema>;

/** `times`: only in sessions that ask for a trace, and where something is known. */
const timedEventSchema = v.object({
  ...numberedEventSchema.entries,
  times: v.optional(timesSchema),
});

/** Everything in `(after, last seq]`; `after` is the member's cursor before this frame. */
export const eventsSchema = v.object({
  type: v.literal('events'),
  room: v.string(),
  after: whole,
  events: v.pipe(v.array(timedEventSchema), v.minLength(1)),
});
export type Events = v.InferOutput<typeof eventsSchema>;

/** `epoch`: the log was numbered anew. `trimmed`: the cursor fell off the tail. */
export const GAP_REASONS = ['epoch', 'trimmed'] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/** The events of `(from, to]` cannot be had any more. The snapshot of the state at `to` follows. */
export const gapSchema = v.object({
  type: v.literal('gap'),
  room: v.string(),
  epoch: whole,
  from: whole,
  to: whole,
  reason: v.picklist(GAP_REASONS),
});
export type Gap = v.InferOutput<typeof gapSchema>;

/** The socket is no member any more, as it has asked. */
export const unsubscribedSchema = v.object({
  type: v.literal('unsubscribed'),
  id,
  room: v.string(),
});
export type Unsubscribed = v.InferOutput<typeof unsubscribedSchema>;

/** A message of the client was refused. The socket stays. */
export const errorSchema = v.object({
  type: v.literal('error'),
  id,
  room: v.optional(v.string()),
  code: v.picklist(SOCKET_ERROR_CODES),
  message: v.string(),
});
export type SocketError = v.InferOutput<typeof errorSchema>;

/** The gateway is about to close the socket for a reason of its own. Come back after `retryAfter` ms. */
export const shutdownSchema = v.object({ type: v.literal('shutdown'), retryAfter: whole });
export type Shutdown = v.InferOutput<typeof shutdownSchema>;

/** Everything that a room sends, except `pong`. */
export const roomFrameSchema = v.variant('type', [
  welcomeSchema,
  subscribedSchema,
  snapshotSchema,
  eventsSchema,
  gapSchema,
  unsubscribedSchema,
  errorSchema,
  shutdownSchema,
]);
export type RoomFrame = v.InferOutput<typeof roomFrameSchema>;

/** Encodes a frame that holds no events. */
export function encodeFrame(frame: Exclude<RoomFrame, Events | Snapshot>): string {
  return JSON.stringify(frame);
}

/** `{"seq":12,"event":{…}}`, `event` being JSON text. */
export function encodeEntry(seq: number, event: string): string {
  return `{"seq":${seq},"event":${event}}`;
}

/** An entry as `encodeEntry` made it, with its times. */
export function withTimes(entry: string, times: Times): string {
  return `${entry.slice(0, -1)},"times":${JSON.stringify(times)}}`;
}

/** `entries` as `encodeEntry` made them, joined by commas. */
export function encodeEvents(room: string, after: number, entries: string): string {
  return `{"type":"events","room":${JSON.stringify(room)},"after":${after},"events":[${entries}]}`;
}

/** `entries` as `encodeEntry` made them, joined by commas. `more`: another part follows. */
export function encodeSnapshot(
  room: string,
  epoch: number,
  seq: number,
  entries: string,
  more = false,
): string {
  const end = more ? '],"more":true}' : ']}';
  return `{"type":"snapshot","room":${JSON.stringify(room)},"epoch":${epoch},"seq":${seq},"events":[${entries}${end}`;
}

const CURSOR_PATTERN = /^([0-9]{1,15}):([0-9]{1,15})$/;

/** The cursor that `since=epoch:seq` names. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR_PATTERN.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
}
