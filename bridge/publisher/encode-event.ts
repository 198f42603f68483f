/**
 * An event as the JSON text that is sent, judged by the gateway's own rules on that very text: what
 * passes here passes there, and what would be rejected there is refused here with the same code.
 */
import { admit, judgeExpiry } from '../../worker/protocol/admit.ts';
import { MAX_EVENT_LENGTH } from '../../worker/protocol/events.ts';
import { JsonTextReader } from '../../worker/protocol/json-text.ts';
import { TOPICS } from '../../worker/protocol/topics.ts';
import { isRejectionCode, PublishError } from './errors.ts';

/** An event that the gateway will take. */
export interface EncodedEvent {
  readonly topic: string;
  /** What keeps its order: the symbol, the user, the room. */
  readonly key: string;
  /** JSON */
  readonly text: string;
  /** Of `text` in UTF-8. */
  readonly bytes: number;
  /** Unix ms. */
  readonly timestamp: number;
}

/** What V8 says; it has no other sign of either. Other RangeErrors are a member's own. */
const TEXT_TOO_LONG = 'Invalid string length';
const STACK_OVERFLOW = 'Maximum call stack size exceeded';
/** The only topic of events that have a target; elsewhere such a member means nothing. */
const TARGETED_TOPIC = 'notifications';
/** The key of what concerns everybody. */
const SYSTEM_KEY = 'system';

/** @param now Unix ms: an alert that has expired by then is refused. */
export function encodeEvent(
  topic: string,
  event: unknown,
  now: number,
): EncodedEvent | PublishError {
  // The gateway looks at the topic first, and an event that cannot be encoded never gets there.
  if (!TOPICS.has(topic)) {
    const name = typeof topic === 'string' ? JSON.stringify(topic) : `a ${typeof topic}`;
    return new PublishError('topic_unknown', `no event comes by ${name}`);
  }
  const text = toJson(event);
  if (text instanceof PublishError) return text;
  const value: unknown = JSON.parse(text);
  const { fields, depth } = new JsonTextReader(text).skip();
  const admission = admit(topic, value, { text, fields, depth });
  if (admission.kind === 'rejected') return new PublishError(admission.code, admission.message);
  const expired = judgeExpiry(admission.expiresAt, now);
  if (expired !== undefined) return new PublishError(expired.code, expired.message);
  return {
    topic,
    text,
    key: keyOf(topic, value),
    bytes: Buffer.byteLength(text),
    timestamp: timestampOf(value) ?? now,
  };
}

function toJson(event: unknown): string | PublishError {
  try {
    const text = JSON.stringify(event, withoutLoss);
    return text ?? new PublishError('event_not_object', 'an event is a JSON object');
  } catch (error) {
    // With another code it is none of ours: a member has thrown it.
    if (error instanceof PublishError && isRejectionCode(error.code)) return error;
    if (isRangeError(error, TEXT_TOO_LONG)) {
      const message = `an event has at most ${MAX_EVENT_LENGTH} characters`;
      return new PublishError('event_too_large', message);
    }
    if (isRangeError(error, STACK_OVERFLOW)) {
      return Array.isArray(event)
        ? new PublishError('event_not_object', 'an event is a JSON object')
        : new PublishError('event_too_deep', 'the event is nested too deeply', { cause: error });
    }
    const message = 'no JSON: a cycle, or a member that throws when it is read';
    return new PublishError('data_invalid', message, { cause: error });
  }
}

function isRangeError(error: unknown, message: string): boolean {
  return error instanceof RangeError && error.message === message;
}

/** JSON would make null of a number that is none, and refuse a bigint. */
function withoutLoss(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  const isNumber = typeof value === 'number' || value instanceof Number;
  if (isNumber && !Number.isFinite(Number(value))) {
    throw new PublishError('data_invalid', `${JSON.stringify(key)} is no finite number`);
  }
  return value;
}

function keyOf(topic: string, event: unknown): string {
  const ids =
    topic === TARGETED_TOPIC
      ? [member(member(event, 'target'), 'id')]
      : [member(event, 'symbol'), member(event, 'userId')];
  for (const id of ids) if (typeof id === 'string' && id !== '') return id;
  return SYSTEM_KEY;
}

function timestampOf(event: unknown): number | undefined {
  const timestamp = member(event, 'timestamp');
  return typeof timestamp === 'number' ? timestamp : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
