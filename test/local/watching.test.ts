import { expect, test } from 'vitest';
import { readFrame } from '../../bridge/local/tools/received-frame.ts';
import { encodeEntry, encodeEvents, encodeSnapshot } from '../../worker/protocol/frames.ts';

const read = (text: string) => readFrame(text) ?? expect.unreachable();

test('an event is shown with the digits that were sent', () => {
  const event = '{"price":45000.50,"id":12345678901234567890,"text":"\\u0041"}';
  const entries = [encodeEntry(3, event), encodeEntry(4, '{}')].join(',');
  expect(read(encodeEvents('price:A', 2, entries)).events).toEqual([
    { seq: 3, source: event },
    { seq: 4, source: '{}' },
  ]);
  expect(read(encodeSnapshot('price:A', 1, 3, encodeEntry(3, event))).events[0]?.source).toBe(
    event,
  );
});

test('what is no frame is none', () => {
  expect([readFrame('pong'), readFrame('{}'), readFrame('[1]')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
