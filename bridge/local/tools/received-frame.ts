/** What arrives over a watched socket, as far as watching needs it, with the text of each event. */
import * as v from 'valibot';
import { elementsOf, fieldsOf } from '../../../worker/protocol/json-text.ts';

const frameSchema = v.object({
  type: v.string(),
  room: v.optional(v.string()),
  events: v.optional(v.array(v.object({ seq: v.number() }))),
});

export interface ReceivedEvent {
  readonly seq: number;
  /** The event's JSON, with its digits as they were sent. */
  readonly text: string;
}

export interface ReceivedFrame {
  /** The text of the frame as it came. */
  readonly text: string;
  /** Undefined for something that is no frame. */
  readonly type: string | undefined;
  readonly room: string | undefined;
  readonly events: readonly ReceivedEvent[];
}

/** The frames of a message: over a relay they come in an array. */
export function readFrames(message: string): ReceivedFrame[] {
  return Array.isArray(parsed(message)) ? elementsOf(message).map(readFrame) : [readFrame(message)];
}

function readFrame(text: string): ReceivedFrame {
  const { success, output } = v.safeParse(frameSchema, parsed(text));
  if (!success) return { text, type: undefined, room: undefined, events: [] };
  const { type, room, events = [] } = output;
  const texts = events.length === 0 ? [] : eventTexts(text);
  return {
    text,
    type,
    room,
    events: events.map(({ seq }, index) => ({ seq, text: texts[index] ?? '' })),
  };
}

/** Undefined for what is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function eventTexts(frame: string): string[] {
  const entries = elementsOf(fieldsOf(frame).get('events') ?? '[]');
  return entries.map((entry) => fieldsOf(entry).get('event') ?? '');
}
