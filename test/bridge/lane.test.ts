import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Batcher, type Cut } from '../../bridge/delivery/batcher.ts';
import { Lane } from '../../bridge/delivery/lane.ts';
import type { Stop } from '../../bridge/delivery/stop.ts';
import { fetchOf, offsetsOf, PARTITION, record, records } from './records.ts';

/** A lane whose deliveries wait to be answered by the test. */
function openLane(capacityBytes = 1_000_000) {
  const underWay: { cut: Cut; stop: Stop; answer: (done: boolean) => void }[] = [];
  const delivered: [string, boolean][] = [];
  let drained = 0;
  const lane = new Lane(PARTITION, capacityBytes, {
    batcher: new Batcher('cluster', { maxRecords: 2, maxBytes: 10_000 }),
    delivery: {
      deliver: (_, cut, stop) =>
        new Promise((answer) => {
          underWay.push({ cut, stop, answer });
          stop.retrying.addEventListener('abort', () => answer(false));
        }),
    },
    delivered: (offset, commit) => delivered.push([offset, commit]),
    drained: () => drained++,
  });
  const answer = async (done = true) => {
    underWay.at(-1)?.answer(done);
    await settle();
  };
  return { lane, underWay, delivered, answer, drained: () => drained };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a lane', () => {
  test('has one batch under way at a time, in order, and reports how far it is', async () => {
    const { lane, underWay, delivered, answer } = openLane();
    lane.enqueue(fetchOf(records(3)));
    lane.enqueue(fetchOf([record(3)]));
    await settle();
    expect(underWay).toHaveLength(1);
    await answer();
    await answer();
    expect(underWay.map(({ cut }) => offsetsOf(cut.body?.records ?? []))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(delivered).toEqual([
      ['1', true],
      ['3', true],
    ]);
    expect(lane.bytes).toBe(0);
    lane.enqueue(fetchOf([record(4)]));
    await answer();
    expect(delivered.at(-1)).toEqual(['4', true]);
  });

  test.each([0, 3])(
    'composes ahead without losing its place, however fast it is answered (%i ms)',
    async (afterMs) => {
      const found: number[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      const lane = new Lane(PARTITION, 100_000_000, {
        batcher: new Batcher('cluster'),
        delivery: {
          deliver: async (_, cut) => {
            found.push(...offsetsOf(cut.body?.records ?? []));
            if (afterMs > 0) await sleep(afterMs);
            return true;
          },
        },
        delivered: (offset) => {
          if (offset === '3999') resolve();
        },
        drained: () => undefined,
      });
      lane.enqueue(fetchOf(records(2_600)));
      await sleep(2);
      lane.enqueue(fetchOf(Array.from({ length: 1_400 }, (_, index) => record(2_600 + index))));
      await promise;
      expect(found).toEqual(Array.from({ length: 4_000 }, (_, offset) => offset));
    },
  );

  test('that is full takes nothing until it is half empty', async () => {
    const size = 400 + 7;
    const { lane, answer, drained } = openLane(4 * size);
    expect(lane.enqueue(fetchOf(records(4)))).toBe(true);
    expect(lane.full).toBe(true);
    expect(lane.enqueue(fetchOf([record(4)]))).toBe(false);
    await answer();
    expect([lane.full, drained()]).toEqual([false, 1]);
    expect(lane.enqueue(fetchOf([record(4)]))).toBe(true);
  });

  test('that is closed reports nothing more, though its batch is answered', async () => {
    const { lane, underWay, delivered } = openLane();
    lane.enqueue(fetchOf(records(2)));
    lane.close();
    expect(underWay[0]?.stop.posting.aborted).toBe(true);
    underWay[0]?.answer(true);
    await settle();
    expect(delivered).toEqual([]);
    expect(lane.enqueue(fetchOf([record(9)]))).toBe(false);
  });

  test('that finishes reports the batch under way and delivers no other', async () => {
    const { lane, underWay, delivered } = openLane();
    lane.enqueue(fetchOf(records(4)));
    underWay[0]?.answer(true);
    await lane.finish();
    expect(delivered).toEqual([['1', true]]);
    expect(underWay[0]?.stop.posting.aborted).toBe(false);
  });

  test('passes the offsets behind the last record of a fetch once that record is delivered', async () => {
    const { lane, delivered, answer } = openLane();
    lane.enqueue(fetchOf([], '4'));
    expect(delivered).toEqual([['4', true]]);
    lane.enqueue(fetchOf([record(5), record(6), record(7)], '9'));
    lane.enqueue(fetchOf([], '12'));
    lane.enqueue(fetchOf([], '15'));
    lane.enqueue(fetchOf([record(16)], '17'));
    await answer();
    expect(delivered.slice(1)).toEqual([['6', true]]);
    await answer();
    expect(delivered.slice(2)).toEqual([['17', true]]);
    lane.enqueue(fetchOf([], '20'));
    expect(delivered.slice(3)).toEqual([['20', true]]);
  });

  test('that was full or closed passes nothing', () => {
    const { lane, delivered } = openLane(1);
    lane.enqueue(fetchOf([record(0)]));
    expect(lane.enqueue(fetchOf([], '9'))).toBe(false);
    lane.close();
    expect(lane.enqueue(fetchOf([], '9'))).toBe(false);
    expect(delivered).toEqual([]);
  });

  test('that is disowned forgets what the old log passed', async () => {
    const { lane, delivered, answer } = openLane();
    lane.enqueue(fetchOf([record(100)], '104'));
    lane.disown();
    lane.enqueue(fetchOf([], '2'));
    await answer();
    expect(delivered).toEqual([['2', true]]);
    const other = openLane();
    other.lane.enqueue(fetchOf([record(100)], '104'));
    other.lane.disown();
    await other.answer();
    expect(other.delivered).toEqual([['100', false]]);
  });

  test('that is disowned delivers what it has but commits only what came after', async () => {
    const { lane, delivered, answer } = openLane();
    lane.enqueue(fetchOf([record(100), record(101), record(102)]));
    lane.disown();
    lane.enqueue(fetchOf([record(0), record(1)]));
    await answer();
    await answer();
    await answer();
    // 102 and 0 share a batch: 0 is of the new log, and so is the position after it.
    expect(delivered).toEqual([
      ['101', false],
      ['0', true],
      ['1', true],
    ]);
  });
});
