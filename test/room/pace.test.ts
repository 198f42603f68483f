import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RATES } from '../../worker/protocol/messages.ts';
import { deadlineOf, nextTick, Pace, RELAY_FLUSH_SHARE } from '../../worker/room/delivery/pace.ts';

describe('the pace of a room', () => {
  it('lets an event wait as its priority says', () => {
    expect((['high', 'medium', 'low'] as const).map((priority) => deadlineOf(priority, 7))).toEqual(
      [7, 57, 257],
    );
  });

  const flush = (pace: Pace, messages: number, length: number, now: number, dueAt = now) => {
    pace.flushes(dueAt);
    pace.settle({ messages, characters: messages * length }, now);
  };

  /** When flushes of so many messages leave, if there is always something to flush. */
  const flushes = (messages: number, length: number, count: number): number[] => {
    const pace = new Pace();
    let now = 10_000;
    return Array.from({ length: count }, () => {
      now = Math.max(now, pace.affordableAt);
      flush(pace, messages, length, now);
      return now - 10_000;
    });
  };

  /** The time between two flushes under load. */
  const interval = (messages: number, length: number): number => {
    const [before = 0, last = 0] = flushes(messages, length, 30).slice(-2);
    return last - before;
  };

  it('R7: lets a burst leave at once after a rest, and then spends three fifths of the time on flushes', () => {
    expect(flushes(1_000, 0, 6).slice(0, 2)).toEqual([0, 0]);
    expect(interval(1_000, 0)).toBeCloseTo(31 / 0.6);
    expect(flushes(10, 0, 100).at(-1)).toBe(0);
    expect(flushes(0, 0, 100).at(-1)).toBe(0);
  });

  it('R7: sends the seldomer the fuller the frames are', () => {
    expect(interval(1_000, 300)).toBeCloseTo((31 + 0.33) / 0.6);
    expect(interval(1_000, 30_000)).toBeCloseTo(62 / 0.6);
  });

  it('R7: never spends more than three fifths of any time and one burst', () => {
    const turn = fc.record({
      messages: fc.nat(5_000),
      length: fc.nat(30_000),
      wait: fc.nat(50),
      calls: fc.nat(32),
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 60 }), (turns) => {
        const pace = new Pace();
        let now = 0;
        const spent: { readonly at: number; readonly before: number }[] = [];
        let total = 0;
        for (const { messages, length, wait, calls } of turns) {
          now = Math.max(now + wait, pace.affordableAt);
          // Whatever moment one looks from: what was spent since, before this flush.
          for (const { at, before } of spent) {
            expect(total - before).toBeLessThanOrEqual((now - at) * 0.6 + 50 + 1e-6);
          }
          spent.push({ at: now, before: total });
          flush(pace, messages, length, now);
          pace.spendOnCalls(calls, now);
          total += messages * (0.031 + Math.min(0.031, length * 1.1e-6)) + calls * 0.1;
        }
      }),
    );
  });

  it('R7: does not fill while a flush that is due is waited for', () => {
    const pace = new Pace();
    flush(pace, 2_000, 0, 1_000);
    const dueAt = pace.affordableAt;
    flush(pace, 1_000, 0, dueAt + 30, dueAt);
    expect(pace.affordableAt).toBeCloseTo(dueAt + 30 + 31 / 0.6);
  });

  it('R7: spends half of the time at a relay', () => {
    const pace = new Pace(RELAY_FLUSH_SHARE);
    flush(pace, 2_000, 0, 1_000);
    expect(pace.affordableAt).toBeCloseTo(1_000 + 12 * 2);
  });

  it('R7: takes nothing for what clients are answered while nothing is flushed', () => {
    const pace = new Pace();
    pace.settle({ messages: 1_000_000, characters: 1_000_000 }, 0);
    expect(pace.affordableAt).toBeLessThan(0);
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
