/** The times of entries on their way from object to object, and to a disk. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEntries,
  type Entry,
  encodeEntries,
  encodeTimedEntries,
  newEntry,
} from '../../worker/room/log/entry.ts';
import { type BatchTimes, timesOf } from '../../worker/room/log/times.ts';

/** A time as clocks have it that are wrong by some hours. */
const time = fc.integer({ min: 1_700_000_000_000, max: 1_700_010_000_000 });
const unsure = fc.option(time, { nil: undefined });
const batch = fc.option(fc.record({ bridge: unsure, worker: unsure, room: time }), {
  nil: undefined,
});
const entries = fc
  .array(fc.tuple(batch, fc.array(unsure, { minLength: 1, maxLength: 4 })), { maxLength: 5 })
  .map((batches) =>
    batches
      .flatMap(([batchTimes, records]) => records.map((kafkaAt) => ({ batchTimes, kafkaAt })))
      .map((timed, index) => entryOf(index + 1, timed)),
  );

function entryOf(seq: number, timed: Pick<Entry, 'kafkaAt' | 'batchTimes'>): Entry {
  const fields = { key: undefined, expiresAt: 1_000, perishable: false };
  return newEntry(seq, '{"price":1}', { ...fields, ...timed });
}

describe('R15: the times of entries', () => {
  it('arrive at another object as they left, and nothing is added on the way', () => {
    fc.assert(
      fc.property(entries, (sent) => {
        const received = decodeEntries(encodeTimedEntries(sent));
        expect(received.map(timesOf)).toEqual(sent.map(timesOf));
        expect(received.map(({ text }) => text)).toEqual(sent.map(({ text }) => text));
      }),
    );
  });

  it('are kept on no disk', () => {
    const [kept] = decodeEntries(encodeEntries([entryOf(1, timed(1_700_000_000_000))]));
    expect(kept && timesOf(kept)).toBeUndefined();
  });

  it('are one object for all entries of a batch, and few characters on their way', () => {
    const batchTimes = timed(1_700_000_000_000).batchTimes;
    const sent = Array.from({ length: 100 }, (_, index) =>
      entryOf(index + 1, { batchTimes, kafkaAt: 1_700_000_000_000 - index }),
    );
    const column = encodeTimedEntries(sent);
    const received = decodeEntries(column);
    expect(new Set(received.map(({ batchTimes }) => batchTimes)).size).toBe(1);
    expect(column.length - encodeEntries(sent).length).toBeLessThan(4 * sent.length);
  });
});

function timed(room: number): { readonly batchTimes: BatchTimes; readonly kafkaAt: number } {
  return { batchTimes: { bridge: room - 7, worker: room - 2, room }, kafkaAt: room - 12 };
}
