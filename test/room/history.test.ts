import { describe, expect, it } from 'vitest';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import { readHistory } from '../../worker/room/log/history.ts';
import { Log } from '../../worker/room/log/log.ts';
import type { Place } from '../../worker/room/log/resume.ts';

function logOf(
  count: number,
  retention: Partial<Policy['retention']> = {},
  { size = 1, expiresAt }: { size?: number; expiresAt?: number } = {},
): Log {
  const { trade } = POLICIES;
  const policy = { ...trade, retention: { ...trade.retention, ...retention } };
  const log = new Log(policy, {
    epoch: 7,
    head: 0,
    floor: 0,
    trimmed: 0,
    entries: [],
    isUnbroken: true,
  });
  for (let i = 0; i < count; i++) {
    log.append({ event: `{"p":"${'x'.repeat(size)}"}`, key: undefined, expiresAt }, 0);
  }
  return log;
}

function page(log: Log, start?: Place, limit = 100, now = 0) {
  const { events, ...rest } = JSON.parse(readHistory('r', log, start, limit, now));
  return { ...rest, seqs: events.map(({ seq }: { seq: number }) => seq) };
}

describe('a page of history', () => {
  it('begins with the oldest there is, and says where the next one does', () => {
    const log = logOf(5, { entries: 4 });
    expect(page(log, undefined, 3)).toEqual({
      room: 'r',
      epoch: 7,
      head: 5,
      after: 1,
      seqs: [2, 3, 4],
      next: '7:4',
      more: true,
    });
    expect(page(log, { epoch: 7, seq: 4 })).toMatchObject({ seqs: [5], next: '7:5', more: false });
    expect(page(log, { epoch: 7, seq: 5 })).toMatchObject({ seqs: [], next: '7:5', more: false });
  });

  it('says what of the log is gone, and goes on with what is not', () => {
    const log = logOf(5, { entries: 2 });
    expect(page(log, { epoch: 7, seq: 1 })).toMatchObject({
      after: 3,
      gap: { from: 1, to: 3, reason: 'trimmed' },
      seqs: [4, 5],
    });
  });

  it('says the same of what grew too old', () => {
    const log = logOf(3, { age: 10 });
    expect(page(log, { epoch: 7, seq: 1 }, 100, 11)).toMatchObject({
      gap: { from: 1, to: 3, reason: 'trimmed' },
      seqs: [],
      next: '7:3',
    });
  });

  it('says that a number of another epoch, or ahead of the head, means nothing', () => {
    const log = logOf(3);
    for (const start of [
      { epoch: 6, seq: 2 },
      { epoch: 7, seq: 4 },
    ]) {
      expect(page(log, start)).toMatchObject({ gap: { reason: 'epoch' }, seqs: [1, 2, 3] });
    }
    expect(page(log, { epoch: undefined, seq: 2 })).toMatchObject({ seqs: [3] });
  });

  it('goes past events that expired by themselves: nobody misses them', () => {
    const log = logOf(3, {}, { expiresAt: 10 });
    expect(page(log, { epoch: 7, seq: 0 }, 100, 11)).toEqual({
      room: 'r',
      epoch: 7,
      head: 3,
      after: 0,
      seqs: [],
      next: '7:3',
      more: false,
    });
  });

  it('is bounded in characters, but for its first event', () => {
    const log = logOf(4, { characters: 10_000_000 }, { size: 600_000 });
    expect(page(log).seqs).toEqual([1]);
    expect(page(logOf(4, {}, { size: 250_000 })).seqs).toEqual([1, 2, 3, 4]);
  });
});
