import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JoinedFrames } from '../../worker/room/session/output/joined-frames.ts';

it('frames are joined to one array, whatever was joined before', () => {
  const frames = fc.array(fc.constantFrom('{"a":1}', '{"a":2}', '{"b":1}'), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 60 }), (lists) => {
      const joined = new JoinedFrames();
      for (const list of lists) expect(joined.join([...list])).toBe(`[${list.join()}]`);
    }),
  );
});

it('frames are joined once for all who are sent the same', () => {
  const joined = new JoinedFrames();
  let texts = 0;
  const frame = { toString: () => `{"text":${++texts}}` };
  const first = joined.join([frame as unknown as string]);
  expect(joined.join([frame as unknown as string])).toBe(first);
  expect(texts).toBe(1);
});
