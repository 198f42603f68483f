import { expect, test } from 'vitest';
import { STEP_MS } from '../../bridge/local/market/feed.ts';
import { runFeed } from '../../bridge/local/market/run-feed.ts';

/**
 * How many steps there were before each pause, on a clock that only pauses move: each may take longer
 * than asked for. `rooms` is for how many steps there is room in between.
 */
async function run(
  speed: number,
  pauses: readonly { readonly late: number }[],
  rooms: readonly number[] = [],
): Promise<number[]> {
  const stop = new AbortController();
  const stepsByPause: number[] = [];
  let time = 0;
  let steps = 0;
  await runFeed(
    {
      speed,
      step: () => steps++,
      hasRoom: () => steps < (rooms[stepsByPause.length] ?? Infinity),
      room: async () => {},
      now: () => time,
      pause: async (ms) => {
        time += ms + (pauses[stepsByPause.length]?.late ?? 0);
        stepsByPause.push(steps);
        steps = 0;
        if (stepsByPause.length > pauses.length) stop.abort();
      },
    },
    stop.signal,
  );
  return stepsByPause;
}

const punctual = (count: number) => Array.from({ length: count }, () => ({ late: 0 }));
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

test('market time keeps step with the clock, at any speed', async () => {
  expect(await run(1, punctual(3))).toEqual([1, 1, 1, 1]);
  // At fifty times the speed a pause is 5 ms: two steps and a half.
  expect(sum(await run(50, punctual(40)))).toBe(1 + (40 * 5 * 50) / STEP_MS);
});

test('a timer that is somewhat late loses nothing', async () => {
  const late = Array.from({ length: 4 }, () => ({ late: 150 }));
  // 250 ms, three times 200, 50 and three times 100.
  expect(sum(await run(1, [...late, ...punctual(4)]))).toBe(1 + 1_200 / STEP_MS);
});

test('after a night asleep the market goes on where it was', async () => {
  const [, afterwards, then] = await run(50, [{ late: 8 * 3_600_000 }, ...punctual(2)]);
  expect(afterwards).toBe((250 * 50) / STEP_MS);
  expect(then).toBeLessThanOrEqual(3);
});

test('what there was no room for has not happened', async () => {
  const counts = await run(50, [{ late: 200 }, ...punctual(2)], [1, 3]);
  // A hundred steps were due and three had room; at most one of the others is made up for.
  expect(counts.slice(0, 2)).toEqual([1, 3]);
  expect(counts[2]).toBeLessThanOrEqual(1 + (5 * 50) / STEP_MS);
});
