/**
 * The messages, version 1: what a client sends over a socket. All of them are optional: a client that
 * says nothing gets its room's events all the same.
 */
import * as v from 'valibot';
import { describeIssue } from './describe-issue.ts';
import { cursorSchema } from './frames.ts';

/** The longest message that a room reads, in characters. A large token fits. */
export const MAX_MESSAGE_LENGTH = 8 * 1024;
/** Frames a second that a subscription may ask for at most. */
export const MAX_RATES = [1, 2, 5, 10] as const;
export type MaxRate = (typeof MAX_RATES)[number];

/** Names the request in its answer. */
const id = v.optional(v.pipe(v.string(), v.maxLength(64)));
const room = v.pipe(v.string(), v.maxLength(256));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const maxRateSchema = v.picklist(MAX_RATES);

/** The client wants to be a member, or one with another rate or cursor. Answered by `subscribed`. */
export const subscribeSchema = v.object({
  type: v.literal('subscribe'),
  id,
  room,
  /** Where the client stands: everything after it follows, or a `gap`. */
  since: v.optional(cursorSchema),
  /** At most so many frames a second, in which a keyed room shows the latest event per key. */
  maxRate: v.optional(maxRateSchema),
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
export type ClientMessage = v.InferOutput<typeof clientMessageSchema>;

export type MessageReading =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  | { readonly kind: 'invalid'; readonly complaint: string; readonly id: string | undefined }
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
  return { kind: 'message', message: parsed.output };
}

/** The id of something that is no message, so that its sender knows what was refused. */
const idOf = v.fallback(
  v.pipe(
    v.object({ id }),
    v.transform((message) => message.id),
  ),
  undefined,
);

function invalid(complaint: string, id?: string): MessageReading {
  return { kind: 'invalid', complaint, id };
}
