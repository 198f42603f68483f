import { describe, expect, it } from 'vitest';
import { MAX_RATES } from '../../worker/protocol/messages.ts';
import { deadlineOf, leastInterval, nextTick } from '../../worker/room/delivery/pace.ts';

describe('the pace of a room', () => {
  it('lets an event wait as its priority says', () => {
    expect((['high', 'medium', 'low'] as const).map((priority) => deadlineOf(priority, 7))).toEqual(
      [7, 57, 257],
    );
  });

  it('is the policy’s, until flushing would take more than half the time', () => {
    expect(leastInterval(100, 1_000)).toBe(100);
    expect(leastInterval(0, 2_000)).toBeCloseTo(180);
    expect(leastInterval(0, 0)).toBe(0);
  });

  it.each(MAX_RATES)('has %i ticks a second, always ahead', (rate) => {
    const ticks = new Set<number>();
    for (let now = 5_000; now < 6_000; now++) {
      const tick = nextTick(rate, now);
      expect(tick).toBeGreaterThan(now);
      ticks.add(tick);
    }
    expect(ticks.size).toBe(rate);
  });
});
