/** What arrives over a watched socket, as far as watching needs it, with each event's source text. */
import * as v from 'valibot';
import { JsonTextReader } from '../../../worker/protocol/json-text.ts';

const frameSchema = v.object({
  type: v.string(),
  room: v.optional(v.string()),
  events: v.optional(v.array(v.object({ seq: v.number() }))),
});

export interface ReceivedEvent {
  readonly seq: number;
  /** The event's JSON, digits and all as it was sent. */
  readonly source: string;
}

export interface ReceivedFrame {
  /** As it came. */
  readonly text: string;
  /** Undefined for something that is no frame. */
  readonly type: string | undefined;
  readonly room: string | undefined;
  readonly events: readonly ReceivedEvent[];
}

/** The frames of a message: over a relay they come in an array. */
export function readFrames(message: string): ReceivedFrame[] {
  const reader = new JsonTextReader(message);
  if (!isJson(message) || !reader.enterArray()) return [readFrame(message)];
  const frames: ReceivedFrame[] = [];
  while (reader.nextElement()) {
    const { start, end } = reader.skip();
    frames.push(readFrame(message.slice(start, end)));
  }
  return frames;
}

function readFrame(text: string): ReceivedFrame {
  const parsed = isJson(text) ? v.safeParse(frameSchema, JSON.parse(text)) : undefined;
  if (!parsed?.success) return { text, type: undefined, room: undefined, events: [] };
  const { type, room, events = [] } = parsed.output;
  const sources = events.length === 0 ? [] : eventSources(text);
  return {
    text,
    type,
    room,
    events: events.map((event, index) => ({ seq: event.seq, source: sources[index] ?? '' })),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function eventSources(text: string): string[] {
  const sources: string[] = [];
  const reader = new JsonTextReader(text);
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key !== 'events' || !reader.enterArray()) {
      reader.skip();
      continue;
    }
    while (reader.nextElement()) sources.push(textOfMember(reader, 'event'));
  }
  return sources;
}

function textOfMember(reader: JsonTextReader, wanted: string): string {
  let source = '';
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const { start, end } = reader.skip();
    if (key === wanted) source = reader.text.slice(start, end);
  }
  return source;
}
