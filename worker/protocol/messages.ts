/**
 * The messages, version 1: what a client sends over a socket. All of them are optional: a client that
 * says nothing gets its room's events all the same. An optional field may also be null.
 */
import * as v from 'valibot';
import { describeIssue } from './describe-issue.ts';
import { cursorSchema, type RequestId, requestIdSchema } from './frames.ts';
import { MAX_ROOM_LENGTH } from './rooms.ts';

/** The longest message that a room reads, in characters. A large token fits. */
export const MAX_MESSAGE_LENGTH = 8 * 1024;
/** Frames a second that a subscription may ask for at most. */
export const MAX_RATES = [1, 2, 5, 10] as const;
export type MaxRate = (typeof MAX_RATES)[number];

/** Names the request in its answer, where it stands as it came: a text or a number. */
const id = v.nullish(requestIdSchema);
const room = v.pipe(v.string(), v.maxLength(MAX_ROOM_LENGTH));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const maxRateSchema = v.picklist(MAX_RATES);

/** The client wants to be a member, or one with another rate or cursor. Answered by `subscribed`. */
export const subscribeSchema = v.object({
  type: v.literal('subscribe'),
  id,
  room,
  /** Where the client stands: everything after it follows, or a `gap`. */
  since: v.nullish(cursorSchema),
  /** At most so many frames a second, in which a keyed room shows the latest event per key. */
  maxRate: v.nullish(maxRateSchema),
});

/** The client wants to be no member any more. Answered by `unsubscribed`. */
export const unsubscribeSchema = v.object({ type: v.literal('unsubscribe'), id, room });

/** The client has received everything up to `seq`. The first ack turns flow control on. Not answered. */
export const ackSchema = v.object({ type: v.literal('ack'), room, seq: whole });

/** The client brings a new token before the old one ends. Answered by `welcome`. */
export const authSchema = v.object({ type: v.literal('auth'), id, token: v.string() });

export const clientMessageSchema = v.variant('type', [
  subscribeSchema,
  unsubscribeSchema,
  ackSchema,
  authSchema,
]);
/** A message as it was read: what was null is absent. */
export type ClientMessage = WithoutNulls<v.InferOutput<typeof clientMessageSchema>>;
type WithoutNulls<Message> = Message extends unknown
  ? { [Field in keyof Message]: Exclude<Message[Field], null> }
  : never;

export type MessageReading =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  | { readonly kind: 'invalid'; readonly complaint: string; readonly id: RequestId | undefined }
  | { readonly kind: 'too_long' };

/** Reads what a client sent. */
export function readMessage(data: unknown): MessageReading {
  const length = data instanceof ArrayBuffer ? data.byteLength : String(data).length;
  if (length > MAX_MESSAGE_LENGTH) return { kind: 'too_long' };
  if (typeof data !== 'string') return invalid('messages are text');
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return invalid('not JSON');
  }
  const parsed = v.safeParse(clientMessageSchema, value, { abortEarly: true });
  if (!parsed.success) return invalid(describeIssue(parsed.issues[0]), v.parse(idOf, value));
  return { kind: 'message', message: withoutNulls(parsed.output) };
}

/** The id of something that is no message, so that its sender knows what was refused. */
const idOf = v.fallback(
  v.pipe(
    v.object({ id }),
    v.transform((message) => message.id ?? undefined),
  ),
  undefined,
);

function withoutNulls(message: v.InferOutput<typeof clientMessageSchema>): ClientMessage {
  const fields = Object.entries(message).filter(([, value]) => value !== null);
  // The compiler cannot see that only optional fields may be null.
  return Object.fromEntries(fields) as ClientMessage;
}

function invalid(complaint: string, id?: RequestId): MessageReading {
  return { kind: 'invalid', complaint, id };
}
