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
  readonly type: string;
  readonly room: string | undefined;
  readonly events: readonly ReceivedEvent[];
}

/** The frame; undefined for something that is no frame. */
export function readFrame(text: string): ReceivedFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(frameSchema, value);
  if (!parsed.success) return undefined;
  const { type, room, events = [] } = parsed.output;
  const sources = events.length === 0 ? [] : eventSources(text);
  return {
    type,
    room,
    events: events.map((event, index) => ({ seq: event.seq, source: sources[index] ?? '' })),
  };
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
