import { describe, expect, test } from 'vitest';
import { lagOf } from '../../bridge/kafka/lag.ts';
import { judgeReset } from '../../bridge/kafka/retention.ts';

describe('a position that Kafka no longer has', () => {
  test('below the log’s start was taken by retention, which is counted', () => {
    expect(judgeReset('10', { low: '60', high: '110' })).toEqual({ kind: 'retention', lost: 50 });
  });

  test('beyond the log’s end belongs to a log that was restarted, which lost us nothing', () => {
    expect(judgeReset('50', { low: '0', high: '20' })).toEqual({ kind: 'restarted' });
  });
});

describe('the lag', () => {
  test('is the end of the log less the position, and counts from the log’s start if there is no position', () => {
    expect(lagOf('90', { low: '60', high: '110' })).toBe(20);
    expect(lagOf('-1', { low: '60', high: '110' })).toBe(50);
    expect(lagOf(undefined, { low: '0', high: '3' })).toBe(3);
  });

  test('does not count what retention has deleted', () => {
    expect(lagOf('10', { low: '60', high: '110' })).toBe(50);
  });
});
