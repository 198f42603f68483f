import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeadLetterLog, SUMMARY_INTERVAL_MS } from '../../bridge/delivery/dead-letter-log.ts';
import { PARTITION, record } from './records.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A log, and what it was told. */
function open() {
  const told: [Record<string, unknown>, string][] = [];
  const log = new DeadLetterLog({ warn: (...entry: unknown[]) => told.push(entry as never) });
  const refuse = (first: number, count: number, code = 'symbol_invalid') =>
    log.report(
      PARTITION,
      Array.from({ length: count }, (_, n) => ({
        record: record(first + n),
        code,
        message: 'of secret data',
      })),
    );
  return { told, refuse };
}

test('the first is logged at once, with its code and its place', () => {
  const { told, refuse } = open();
  refuse(7, 1);
  expect(told).toEqual([
    [{ ...PARTITION, offset: '7', code: 'symbol_invalid' }, 'record dead-lettered'],
  ]);
});

test('what follows is logged once in a while, with its number, and nothing is logged when there was nothing', () => {
  const { told, refuse } = open();
  for (let n = 0; n < 1_000; n++) refuse(n * 100, 100);
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(SUMMARY_INTERVAL_MS);
  expect(told.slice(1)).toEqual([
    [expect.objectContaining({ offset: '99999', count: 99_999 }), expect.any(String)],
  ]);
  refuse(100_000, 1);
  vi.advanceTimersByTime(SUMMARY_INTERVAL_MS);
  expect(told.at(-1)?.[0]).toMatchObject({ offset: '100000', count: 1 });
  vi.advanceTimersByTime(10 * SUMMARY_INTERVAL_MS);
  expect(told).toHaveLength(3);
  refuse(100_001, 1);
  expect(told.at(-1)?.[1]).toBe('record dead-lettered');
});

test('each code is logged by itself', () => {
  const { told, refuse } = open();
  refuse(0, 10);
  refuse(10, 10, 'not_json');
  expect(told.map(([{ code }]) => code)).toEqual(['symbol_invalid', 'not_json']);
});
