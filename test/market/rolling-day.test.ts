import { expect, test } from 'vitest';
import { RollingDay } from '../../bridge/local/market/rolling-day.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

test('a day is as high, as low and as busy as its trades, and begins where it began', () => {
  const day = new RollingDay();
  day.record(0, 100, 5);
  day.record(7 * MINUTE, 130, 1);
  day.record(8 * MINUTE, 90, 1);
  day.record(20 * MINUTE, 110, 2);
  expect(day.statistics).toMatchObject({ open: 100, high: 130, low: 90, volume: 9 });
});

test('what is a day old is forgotten', () => {
  const day = new RollingDay();
  day.record(0, 500, 5);
  day.record(6 * MINUTE, 1, 5);
  day.record(60 * MINUTE, 100, 5);
  day.record(DAY, 110, 1);
  expect(day.statistics).toMatchObject({ open: 1, high: 110, low: 1, volume: 11 });
  day.record(DAY + 10 * MINUTE, 105, 1);
  expect(day.statistics).toMatchObject({ open: 100, high: 110, low: 100, volume: 7 });
  day.record(5 * DAY, 70, 1);
  expect(day.statistics).toMatchObject({ open: 70, high: 70, low: 70, volume: 1 });
});
