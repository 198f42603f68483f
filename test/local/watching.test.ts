import { expect, test } from 'vitest';
import { readFrames } from '../../bridge/local/tools/received-frame.ts';
import { encodeEntry, encodeEvents, encodeSnapshot } from '../../worker/protocol/frames.ts';

test('an event is printed with the digits that were sent', () => {
  const event = '{"price":45000.50,"id":12345678901234567890,"text":"\\u0041"}';
  const entries = [encodeEntry(3, event), encodeEntry(4, '{}')].join(',');
  const events = encodeEvents('price:A', 2, entries);
  const snapshot = encodeSnapshot('price:A', 1, 3, encodeEntry(3, event));
  const [first] = readFrames(events);
  expect(first).toEqual({
    text: events,
    type: 'events',
    room: 'price:A',
    events: [
      { seq: 3, text: event },
      { seq: 4, text: '{}' },
    ],
  });
  expect(readFrames(snapshot)[0]?.events[0]?.text).toBe(event);
  // Over a relay frames come together.
  expect(readFrames(`[${events},\n${snapshot}]`)).toEqual([
    ...readFrames(events),
    ...readFrames(snapshot),
  ]);
});

test('a text that is no frame has no type, room or events', () => {
  const texts = ['pong', '{}', '[1]', '['].flatMap(readFrames);
  expect(texts.map(({ text, type }) => [text, type])).toEqual([
    ['pong', undefined],
    ['{}', undefined],
    ['1', undefined],
    ['[', undefined],
  ]);
  expect(readFrames('[]')).toEqual([]);
});
