/**
 * Whether an event may enter, and where it goes. The Worker judges by this what comes in, and the
 * publisher SDK what it is about to send.
 */
import type { RejectionCode } from '../codes.ts';
import { inspectKeys, type JsonText } from '../json-text.ts';
import { MAX_EVENT_DEPTH, MAX_EVENT_LENGTH } from './events.ts';
import { type Admission, type Rejected, TOPICS, type Topic } from './topics.ts';

export type RecordAdmission = (Admission & { kind: 'admitted'; readonly topic: Topic }) | Rejected;

/**
 * @param value what the text parses to.
 */
export function admit(
  topicName: string,
  value: unknown,
  { text, fields, depth }: JsonText,
): RecordAdmission {
  const topic = TOPICS.get(topicName);
  if (topic === undefined) {
    return rejected('topic_unknown', `no event comes by ${JSON.stringify(topicName)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return rejected('event_not_object', 'an event is a JSON object');
  }
  if (text.length > MAX_EVENT_LENGTH) {
    const message = `${text.length} characters; an event has at most ${MAX_EVENT_LENGTH}`;
    return rejected('event_too_large', message);
  }
  if (depth > MAX_EVENT_DEPTH) {
    const message = `${depth} levels deep; an event has at most ${MAX_EVENT_DEPTH}`;
    return rejected('event_too_deep', message);
  }
  const { fault, namesUser } = inspectKeys(value, fields);
  switch (fault) {
    case 'duplicate_key':
      return rejected(fault, 'an object has a key twice');
    case 'forbidden_key':
      return rejected(fault, '__proto__, constructor and prototype are no keys');
    case undefined: {
      const admission = topic.admit(value, namesUser);
      return admission.kind === 'rejected' ? admission : { ...admission, topic };
    }
  }
}

/** Why an event that has expired by `now` (Unix ms) is rejected; undefined when it has not. */
export function judgeExpiry(expiresAt: number | undefined, now: number): Rejected | undefined {
  if (expiresAt === undefined || expiresAt > now) return undefined;
  return rejected('event_expired', `expired at ${new Date(expiresAt).toISOString()}`);
}

function rejected(code: RejectionCode, message: string): Rejected {
  return { kind: 'rejected', code, message };
}
