/**
 * An event as the JSON text that is sent, judged by the gateway's own rules on that very text: what
 * passes here passes there, and what would be rejected there is refused here with the same code.
 */
import { admit, judgeExpiry } from '../../worker/protocol/admit.ts';
import { MAX_EVENT_LENGTH } from '../../worker/protocol/events.ts';
import { SourceReader } from '../../worker/protocol/json-source.ts';
import { TOPICS } from '../../worker/protocol/topics.ts';
import { PublishError } from './errors.ts';

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
    return new PublishError('topic_unknown', `no event comes by ${JSON.stringify(topic)}`);
  }
  const text = toJson(event);
  if (text instanceof PublishError) return text;
  const value: unknown = JSON.parse(text);
  const { members, depth } = new SourceReader(text).skip();
  const admission = admit(topic, value, { text, members, depth });
  if (admission.kind === 'rejected') return new PublishError(admission.code, admission.message);
  const expired = judgeExpiry(admission.expiresAt, now);
  if (expired !== undefined) return new PublishError(expired.code, expired.message);
  return {
    topic,
    text,
    key: keyOf(value),
    bytes: Buffer.byteLength(text),
    timestamp: timestampOf(value) ?? now,
  };
}

function toJson(event: unknown): string | PublishError {
  try {
    const text = JSON.stringify(event, withoutLoss);
    return text ?? new PublishError('event_not_object', 'an event is a JSON object');
  } catch (error) {
    if (error instanceof PublishError) return error;
    // V8 has no other sign of it than the text.
    if (error instanceof RangeError && error.message.includes('string length')) {
      return new PublishError(
        'event_too_large',
        `an event has at most ${MAX_EVENT_LENGTH} characters`,
      );
    }
    if (error instanceof RangeError && !Array.isArray(event)) {
      return new PublishError('event_too_deep', 'the event is nested too deeply', { cause: error });
    }
    if (error instanceof RangeError) {
      return new PublishError('event_not_object', 'an event is a JSON object');
    }
    const message = 'no JSON: a cycle, or a member that throws when it is read';
    return new PublishError('data_invalid', message, { cause: error });
  }
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

function keyOf(event: unknown): string {
  const target = member(event, 'target');
  const id =
    target === undefined
      ? member(event, 'symbol') || member(event, 'userId')
      : member(target, 'id');
  return typeof id === 'string' && id !== '' ? id : SYSTEM_KEY;
}

function timestampOf(event: unknown): number | undefined {
  const timestamp = member(event, 'timestamp');
  return typeof timestamp === 'number' ? timestamp : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
