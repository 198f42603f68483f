import { describe, expect, it } from 'vitest';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import {
  FRAME_CHARACTERS,
  type Serving,
  serveLaggard,
} from '../../worker/room/delivery/serving.ts';
import { Log } from '../../worker/room/log/log.ts';

function logOf(policy: Policy, entries: readonly { key?: string; size?: number }[]): Log {
  const log = new Log(policy, { epoch: 7, head: 0, floor: 0, trimmed: 0, entries: [] });
  for (const { key, size = 1 } of entries) {
    log.append({ event: `{"p":"${'x'.repeat(size)}"}`, key, expiresAt: undefined }, 0);
  }
  return log;
}

const few = (policy: Policy, retention: Partial<Policy['retention']>): Policy => ({
  ...policy,
  retention: { ...policy.retention, ...retention },
});

const framesOf = ({ slices }: Serving) =>
  slices.flatMap(({ frames }) => frames.map((frame) => JSON.parse(frame)));
const seqsOf = (serving: Serving) =>
  framesOf(serving).map(({ events }) => events?.map(({ seq }: { seq: number }) => seq));
const KEYED = [{ key: 'A' }, { key: 'B' }, { key: 'A' }, { key: 'A' }];

describe('a laggard is served', () => {
  it('nothing, when it has everything', () => {
    const serving = serveLaggard('r', logOf(POLICIES.trade, [{}]), 1, true, 0);
    expect(serving).toEqual({ slices: [], cursor: 1, conflated: 0, gap: false });
  });

  it('one frame of bounded size, which says from where it goes on', () => {
    const log = logOf(
      POLICIES.trade,
      Array.from({ length: 9 }, () => ({ size: 100_000 })),
    );
    const serving = serveLaggard('r', log, 2, false, 0);
    expect(seqsOf(serving)).toEqual([[3, 4, 5]]);
    expect(framesOf(serving)[0]).toMatchObject({ after: 2 });
    expect(serving.slices[0]?.frames[0]?.length).toBeLessThan(FRAME_CHARACTERS + 100_000);
    expect(serving.cursor).toBe(5);
  });

  it('every event of a keyed room that it keeps up with, the latest per key if it does not', () => {
    const log = logOf(POLICIES.price_updates, KEYED);
    expect(seqsOf(serveLaggard('r', log, 0, false, 0))).toEqual([[1, 2, 3, 4]]);
    const conflated = serveLaggard('r', log, 0, true, 0);
    expect(seqsOf(conflated)).toEqual([[2, 4]]);
    expect(conflated).toMatchObject({ cursor: 4, conflated: 2, gap: false });
  });

  it('the latest per key, too, when the tail is gone, and in parts that can be taken one by one', () => {
    const policy = few(POLICIES.price_updates, { entries: 1 });
    expect(seqsOf(serveLaggard('r', logOf(policy, KEYED), 0, false, 0))).toEqual([[2, 4]]);
    const log = logOf(
      policy,
      ['A', 'B', 'C', 'A'].map((key) => ({ key, size: 200_000 })),
    );
    const { slices } = serveLaggard('r', log, 0, true, 0);
    expect(slices.map(({ cursor }) => cursor)).toEqual([3, 4]);
  });

  it('a gap and the snapshot when a key was forgotten since, for it cannot know', () => {
    const log = logOf(few(POLICIES.price_updates, { entries: 1, keys: 1 }), KEYED);
    const serving = serveLaggard('r', log, 1, true, 0);
    expect(framesOf(serving)).toMatchObject([
      { type: 'gap', from: 1, to: 4, reason: 'trimmed' },
      { type: 'snapshot', seq: 4, events: [{ seq: 4 }] },
    ]);
    // Together or not at all.
    expect(serving.slices.length).toBe(1);
    expect(serving.gap).toBe(true);
  });

  it('a gap, never the latest per key, in a room where every event counts', () => {
    const log = logOf(few(POLICIES.trade, { entries: 2 }), KEYED);
    expect(framesOf(serveLaggard('r', log, 1, true, 0))).toMatchObject([
      { type: 'gap', from: 1, to: 4 },
      { type: 'snapshot', seq: 4, events: [{ seq: 3 }, { seq: 4 }] },
    ]);
    expect(seqsOf(serveLaggard('r', log, 2, true, 0))).toEqual([[3, 4]]);
  });
});
