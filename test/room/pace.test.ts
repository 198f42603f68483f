import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RATES } from '../../worker/protocol/messages.ts';
import { deadlineOf, nextTick, Pace } from '../../worker/room/delivery/pace.ts';

describe('the pace of a room', () => {
  it('lets an event wait as its priority says', () => {
    expect((['high', 'medium', 'low'] as const).map((priority) => deadlineOf(priority, 7))).toEqual(
      [7, 57, 257],
    );
  });

  /** When flushes to so many recipients leave, if there is always something to flush. */
  const flushes = (recipients: number, count: number): number[] => {
    const pace = new Pace();
    let now = 10_000;
    return Array.from({ length: count }, () => {
      now = Math.max(now, pace.affordableAt);
      pace.spend(recipients, now);
      return now - 10_000;
    });
  };

  it('R7: lets a burst leave at once after a rest, and then spends half of the time on flushes', () => {
    const times = flushes(1_000, 6);
    expect(times.slice(0, 2)).toEqual([0, 0]);
    for (const [index, time] of times.entries()) {
      if (index > 2) expect(time - (times[index - 1] ?? 0)).toBeCloseTo(90);
    }
    expect(flushes(10, 100).at(-1)).toBe(0);
    expect(flushes(0, 100).at(-1)).toBe(0);
  });

  it('R7: never spends more than half of the time and one burst', () => {
    const recipients = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(recipients, fc.array(fc.nat(50), { maxLength: 100 }), (sizes, waits) => {
        const pace = new Pace();
        let now = 0;
        let spent = 0;
        for (const [index, size] of sizes.entries()) {
          now = Math.max(now + (waits[index] ?? 0), pace.affordableAt);
          // Before each flush, what the earlier ones took is within the share and the burst.
          expect(spent).toBeLessThanOrEqual(now / 2 + 50 + 1e-6);
          pace.spend(size, now);
          spent += size * 0.045;
        }
      }),
    );
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
