/** How followers find a place in the tree of a room. */
import { describe, expect, it } from 'vitest';
import { upstreamAtStep, upstreamOfBranch } from '../../worker/room/follow/branches.ts';

describe('followers that go one level down whenever they are told that an object is full', () => {
  it.each([
    ['rooms of similar names', 60, 4, (n: number) => `price:COIN${n}-USDC`],
    ['users', 20_000, 32, (n: number) => `user:user-${n}`],
  ])('fill few levels evenly: %s', (_what, count, width, nameOf) => {
    const readers = new Map<string, number>();
    const levels: number[] = [];
    for (let n = 0; n < count; n++) {
      let level = 0;
      const ask = () => upstreamAtStep('system', 'weur', nameOf(n), { level, round: 0 }, width);
      while ((readers.get(ask()) ?? 0) === width) level++;
      readers.set(ask(), (readers.get(ask()) ?? 0) + 1);
      levels[level] = (levels[level] ?? 0) + 1;
    }
    // The root and branch 0 take `width` each, and the level below them nearly `width` squared.
    expect(levels.slice(0, 2)).toEqual([width, width]);
    expect(levels[2]).toBeGreaterThan(0.9 * width ** 2);
    // So nearly all others are one level below that, where there is space for all of them.
    expect(levels[4] ?? 0).toBeLessThan(count / 10);
    expect(levels.length).toBeLessThanOrEqual(5);
  });

  it('ask objects that follow each other up to the root', () => {
    const path = [4, 3, 2, 1, 0].map((level) =>
      upstreamAtStep('system', 'weur', 'price:X', { level, round: 0 }, 4),
    );
    expect(path.slice(1)).toEqual(path.slice(0, -1).map((name) => upstreamOfBranch(name, 4)));
  });
});
