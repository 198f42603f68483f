/**
 * An event as the JSON text that is sent, judged by the gateway's own rules on that very text: what
 * passes here passes there, and what would be rejected there is refused here with the same code.
 */
import { admit, judgeExpiry } from '../../../worker/protocol/events/admit.ts';
import { NOTIFICATIONS_TOPIC, TOPICS } from '../../../worker/protocol/events/topics.ts';
import { JsonTextReader } from '../../../worker/protocol/json-text.ts';
import { PublishError } from '../errors.ts';
import { toEncodingError, withoutLoss } from './json.ts';

/** An event that the gateway will take. */
export interface EncodedEvent {
  readonly topic: string;
  /** Events of one key keep their order: it is the symbol, the user or the room. */
  readonly key: string;
  /** JSON text. */
  readonly text: string;
  /** The length of `text` in UTF-8. */
  readonly bytes: number;
  /** Unix ms. */
  readonly timestamp: number;
}

/** The key of an event that concerns everybody. */
const SYSTEM_KEY = 'system';

/** @param now Unix ms: an alert that has expired by then is refused. */
export function encodeEvent(
  topic: string,
  event: unknown,
  now: number,
): EncodedEvent | PublishError {
  // The gateway looks at the topic first, so a wrong topic is reported before a wrong event.
  if (!TOPICS.has(topic)) {
    const name = typeof topic === 'string' ? JSON.stringify(topic) : `a ${typeof topic}`;
    return new PublishError('topic_unknown', `no event comes by ${name}`);
  }
  if (Array.isArray(event)) return notAnObject();
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

/** The event as JSON text; or why it has none. */
function toJson(event: unknown): string | PublishError {
  try {
    const text = JSON.stringify(event, withoutLoss);
    return text ?? notAnObject();
  } catch (error) {
    return toEncodingError(error);
  }
}

function notAnObject(): PublishError {
  return new PublishError('event_not_object', 'an event is a JSON object');
}

function keyOf(topic: string, event: unknown): string {
  const ids =
    topic === NOTIFICATIONS_TOPIC.name
      ? [fieldOf(fieldOf(event, 'target'), 'id')]
      : [fieldOf(event, 'symbol'), fieldOf(event, 'userId')];
  for (const id of ids) if (typeof id === 'string' && id !== '') return id;
  return SYSTEM_KEY;
}

function timestampOf(event: unknown): number | undefined {
  const timestamp = fieldOf(event, 'timestamp');
  return typeof timestamp === 'number' ? timestamp : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
