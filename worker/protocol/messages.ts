/**
 * The messages, version 1: what a client sends over a socket. All of them are optional: a client that
 * says nothing gets its room's events all the same. An optional field may also be null.
 */
import * as v from 'valibot';
import { describeIssue } from './describe-issue.ts';
import { type Cursor, cursorSchema, type RequestId, requestIdSchema } from './frames.ts';
import { MAX_ROOM_LENGTH } from './rooms.ts';
import { unreachable } from './unreachable.ts';

/** The longest message that a room reads, in characters. A large token fits. */
export const MAX_MESSAGE_LENGTH = 8 * 1024;
/** The longest message that a relay reads: a list of rooms fits. */
export const MAX_RELAY_MESSAGE_LENGTH = 64 * 1024;
/** How many rooms a socket of a relay may be subscribed to, beside `system`. */
export const MAX_ROOMS = 256;
/** Frames a second that a subscription may ask for at most. */
export const MAX_RATES = [1, 2, 5, 10] as const;
export type MaxRate = (typeof MAX_RATES)[number];

/** Names the request in its answer, where it stands as it came: a text or a number. */
const id = v.nullish(requestIdSchema);
const room = v.pipe(v.string(), v.maxLength(MAX_ROOM_LENGTH));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const maxRateSchema = v.picklist(MAX_RATES);

/** What a client wants of one room. */
const wantedRoom = {
  room,
  /** Where the client stands: everything after it follows, or a `gap`. */
  since: v.nullish(cursorSchema),
  /** At most so many frames a second, in which a keyed room sends the latest event per key. */
  maxRate: v.nullish(maxRateSchema),
};

/** The client wants to be a member, or one with another rate or cursor. Answered by `subscribed`. */
export const subscribeSchema = v.object({ type: v.literal('subscribe'), id, ...wantedRoom });

/** The same for several rooms of a relay, each of which is answered by itself. */
export const subscribeListSchema = v.object({
  type: v.literal('subscribe'),
  id,
  rooms: v.pipe(v.array(v.object(wantedRoom)), v.minLength(1), v.maxLength(MAX_ROOMS)),
});

/** The client wants to be no member any more. Answered by `unsubscribed`. */
export const unsubscribeSchema = v.object({ type: v.literal('unsubscribe'), id, room });

/** The same for several rooms of a relay, each of which is answered by itself. */
export const unsubscribeListSchema = v.object({
  type: v.literal('unsubscribe'),
  id,
  rooms: v.pipe(v.array(room), v.minLength(1), v.maxLength(MAX_ROOMS)),
});

/** The client has received everything up to `seq`. The first ack turns flow control on. Not answered. */
export const ackSchema = v.object({ type: v.literal('ack'), room, seq: whole });

/** The client brings a new token before the old one ends. Answered by `welcome`. */
export const authSchema = v.object({ type: v.literal('auth'), id, token: v.string() });

const oneRoomSchema = v.variant('type', [
  subscribeSchema,
  unsubscribeSchema,
  ackSchema,
  authSchema,
]);
const listSchema = v.variant('type', [
  subscribeListSchema,
  unsubscribeListSchema,
  ackSchema,
  authSchema,
]);
/** A message as a client writes it, without nulls. */
export type ClientMessage = WithoutNulls<ParsedMessage>;
type ParsedMessage = v.InferOutput<typeof oneRoomSchema> | v.InferOutput<typeof listSchema>;
type WithoutNulls<Message> = Message extends unknown
  ? { [Field in keyof Message]: Exclude<Message[Field], null> }
  : never;

/** What a client wants of one room. */
export interface WantedRoom {
  readonly room: string;
  readonly since?: Cursor | undefined;
  readonly maxRate?: MaxRate | undefined;
}

/** A message as it was read. Of one room or several makes no difference. */
export type Request =
  | SubscribeRequest
  | {
      readonly type: 'unsubscribe';
      readonly id: RequestId | undefined;
      readonly rooms: readonly string[];
    }
  | { readonly type: 'ack'; readonly room: string; readonly seq: number }
  | { readonly type: 'auth'; readonly id: RequestId | undefined; readonly token: string };

export interface SubscribeRequest {
  readonly type: 'subscribe';
  readonly id: RequestId | undefined;
  readonly rooms: readonly WantedRoom[];
}

export type MessageReading =
  | { readonly kind: 'message'; readonly message: Request }
  | { readonly kind: 'invalid'; readonly complaint: string; readonly id: RequestId | undefined }
  | { readonly kind: 'too_long' };

/** Reads what a client sent, of `maxLength` characters at most. */
export function readMessage(data: unknown, maxLength: number): MessageReading {
  const length = data instanceof ArrayBuffer ? data.byteLength : String(data).length;
  if (length > maxLength) return { kind: 'too_long' };
  if (typeof data !== 'string') return invalid('messages are text');
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return invalid('not JSON');
  }
  const { room, rooms } = v.parse(namedOf, value);
  if (room !== undefined && rooms !== undefined) {
    return invalid('room or rooms, not both', v.parse(idOf, value));
  }
  // Whoever names a list is told what is wrong with the list.
  const schema = rooms === undefined ? oneRoomSchema : listSchema;
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) return invalid(describeIssue(parsed.issues[0]), v.parse(idOf, value));
  return { kind: 'message', message: requestOf(parsed.output) };
}

function requestOf(message: ParsedMessage): Request {
  const id = 'id' in message ? (message.id ?? undefined) : undefined;
  switch (message.type) {
    case 'subscribe': {
      const wanted = 'rooms' in message ? message.rooms : [message];
      const rooms = wanted.map(({ room, since, maxRate }) => ({
        room,
        since: since ?? undefined,
        maxRate: maxRate ?? undefined,
      }));
      return { type: message.type, id, rooms };
    }
    case 'unsubscribe':
      return { type: message.type, id, rooms: 'rooms' in message ? message.rooms : [message.room] };
    case 'ack':
      return message;
    case 'auth':
      return { type: message.type, id, token: message.token };
    default:
      return unreachable(message);
  }
}

/** What a message names, whether or not that is right. */
const named = v.nullish(v.unknown());
const namedOf = v.fallback(
  v.pipe(
    v.object({ room: named, rooms: named }),
    v.transform(({ room, rooms }) => ({ room: room ?? undefined, rooms: rooms ?? undefined })),
  ),
  { room: undefined, rooms: undefined },
);

/** The id of something that is no message, so that its sender knows what was refused. */
const idOf = v.fallback(
  v.pipe(
    v.object({ id }),
    v.transform((message) => message.id ?? undefined),
  ),
  undefined,
);

function invalid(complaint: string, id?: RequestId): MessageReading {
  return { kind: 'invalid', complaint, id };
}
