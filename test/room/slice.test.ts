import { describe, expect, it } from 'vitest';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import { Frames } from '../../worker/room/delivery/frames.ts';
import { MAX_FRAME_CHARACTERS, type Slice, slicesAfter } from '../../worker/room/delivery/slice.ts';
import { State } from '../../worker/room/delivery/state.ts';
import { logAt } from '../../worker/room/follow/calls/carried-log.ts';
import { Log } from '../../worker/room/log/log.ts';

function logOf(policy: Policy, entries: readonly { key?: string; size?: number }[]): Log {
  const log = new Log(policy, {
    epoch: 7,
    head: 0,
    floor: 0,
    trimmed: 0,
    entries: [],
    isUnbroken: true,
  });
  for (const { key, size = 1 } of entries) {
    log.append({ event: `{"p":"${'x'.repeat(size)}"}`, key, expiresAt: undefined }, 0);
  }
  return log;
}

const few = (policy: Policy, retention: Partial<Policy['retention']>): Policy => ({
  ...policy,
  retention: { ...policy.retention, ...retention },
});

function serve(log: Log, seq: number, conflate: boolean, epoch = log.epoch): readonly Slice[] {
  const next = slicesAfter(log, { epoch, seq }, conflate, 0);
  return Array.isArray(next) ? next : [new State(log).first(next, 0)];
}
const framesOf = (slices: readonly Slice[]) => {
  const frames = new Frames('r');
  return slices.flatMap((slice) => frames.of(slice).map((frame) => JSON.parse(frame)));
};
const seqsOf = (slices: readonly Slice[]) =>
  framesOf(slices).map(({ events }) => events?.map(({ seq }: { seq: number }) => seq));
const KEYED = [{ key: 'A' }, { key: 'B' }, { key: 'A' }, { key: 'A' }];

describe('a laggard is served', () => {
  it('nothing, when it has everything', () => {
    expect(serve(logOf(POLICIES.trade, [{}]), 1, true)).toEqual([]);
  });

  it('one frame of bounded size, which says from where it goes on', () => {
    const log = logOf(
      POLICIES.trade,
      Array.from({ length: 9 }, () => ({ size: 100_000 })),
    );
    const slices = serve(log, 2, false);
    expect(seqsOf(slices)).toEqual([[3, 4]]);
    expect(framesOf(slices)[0]).toMatchObject({ after: 2 });
    expect(JSON.stringify(framesOf(slices)[0]).length).toBeLessThan(MAX_FRAME_CHARACTERS);
    expect(slices.at(-1)?.cursor).toBe(4);
  });

  it('R9: every event of a keyed room that it keeps up with, the latest per key if it does not', () => {
    const log = logOf(POLICIES.price_updates, KEYED);
    expect(seqsOf(serve(log, 0, false))).toEqual([[1, 2, 3, 4]]);
    const conflated = serve(log, 0, true);
    expect(seqsOf(conflated)).toEqual([[2, 4]]);
    expect(conflated).toMatchObject([{ kind: 'events', cursor: 4, conflated: 2 }]);
  });

  it('the latest per key, too, when the tail is gone, and in parts that can be taken one by one', () => {
    const policy = few(POLICIES.price_updates, { entries: 1 });
    expect(seqsOf(serve(logOf(policy, KEYED), 0, false))).toEqual([[2, 4]]);
    const log = logOf(
      policy,
      ['A', 'B', 'C', 'A'].map((key) => ({ key, size: 200_000 })),
    );
    const slices = serve(log, 0, true);
    expect(slices.map(({ cursor }) => cursor)).toEqual([2, 3, 4]);
  });

  it('a gap and the snapshot when a key was forgotten since, for it cannot know', () => {
    const log = logOf(few(POLICIES.price_updates, { entries: 1, keys: 1 }), KEYED);
    const slices = serve(log, 1, true);
    expect(framesOf(slices)).toMatchObject([
      { type: 'gap', from: 1, to: 4, reason: 'trimmed' },
      { type: 'snapshot', seq: 4, events: [{ seq: 4 }] },
    ]);
    // Together or not at all.
    expect(slices.length).toBe(1);
    expect(slices[0]).toMatchObject({ kind: 'state', gap: { from: 1, reason: 'trimmed' } });
  });

  it('a gap, never the latest per key, in a room where every event counts', () => {
    const log = logOf(few(POLICIES.trade, { entries: 2 }), KEYED);
    expect(framesOf(serve(log, 1, true))).toMatchObject([
      { type: 'gap', from: 1, to: 4 },
      { type: 'snapshot', seq: 4, events: [{ seq: 3 }, { seq: 4 }] },
    ]);
    expect(seqsOf(serve(log, 2, true))).toEqual([[3, 4]]);
  });

  it('a gap and the state when the log was numbered anew since', () => {
    const log = logOf(POLICIES.price_updates, KEYED);
    log.refill(logAt({ epoch: 8, seq: 2 }));
    expect(framesOf(serve(log, 4, true, 7))).toMatchObject([
      { type: 'gap', epoch: 8, from: 4, to: 2, reason: 'epoch' },
      { type: 'snapshot', epoch: 8, seq: 2, events: [] },
    ]);
  });
});

describe('a frame', () => {
  it('is encoded once for a slice, and the state once for all who are shown it', () => {
    const log = logOf(POLICIES.price_updates, KEYED);
    const frames = new Frames('r');
    const [slice] = serve(log, 0, false);
    if (slice === undefined) throw new Error('there is a slice');
    expect(frames.of(slice)).toBe(frames.of(slice));
    const state = new State(log);
    const [shown] = frames.of(state.first(undefined, 0));
    expect(frames.of(state.first({ from: 1, reason: 'epoch' }, 0)).at(-1)).toBe(shown);
  });
});
