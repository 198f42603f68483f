import { expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

test('timers go off in the order of their times, and the time is theirs when they do', () => {
  const clock = new VirtualClock(0);
  const seen: [string, number][] = [];
  clock.setTimeout(() => seen.push(['late', clock.now()]), 20);
  clock.setTimeout(() => {
    seen.push(['early', clock.now()]);
    clock.setTimeout(() => seen.push(['next', clock.now()]), 5);
  }, 10);
  clock.clearTimeout(clock.setTimeout(() => seen.push(['never', clock.now()]), 1));
  clock.advance(19);
  expect(seen).toEqual([
    ['early', 10],
    ['next', 15],
  ]);
  expect([clock.now(), clock.pending]).toEqual([19, 1]);
  clock.advance(1);
  expect(seen.at(-1)).toEqual(['late', 20]);
});

test('a pause ends at its time, or at once when it is aborted', async () => {
  const clock = new VirtualClock(0);
  const cut = new AbortController();
  const ended: string[] = [];
  void clock.pause(10, new AbortController().signal).then(() => ended.push('whole'));
  void clock.pause(1_000, cut.signal).then(() => ended.push('cut'));
  await clock.elapse(9);
  expect(ended).toEqual([]);
  await clock.elapse(1);
  cut.abort();
  await clock.elapse(0);
  expect([ended, clock.pending]).toEqual([['whole', 'cut'], 0]);
});

test('what never comes to rest is found out', () => {
  const clock = new VirtualClock();
  const again = () => void clock.setTimeout(again, 0);
  again();
  expect(() => clock.advance(1)).toThrow('timers went off');
});
