import { describe, expect, test } from 'vitest';
import { Batcher, type Body } from '../../bridge/delivery/batcher.ts';
import { Delivery } from '../../bridge/delivery/delivery.ts';
import type { Sent } from '../../bridge/delivery/post/sender.ts';
import { StopController } from '../../bridge/delivery/stop.ts';
import type { Refusal } from '../../bridge/kafka/record.ts';
import { offsetsOf, PARTITION, record, records } from './records.ts';

const accepted = ({ records: { length } }: Body): Sent => ({
  kind: 'accepted',
  accepted: length,
  duplicates: 0,
  rejected: [],
});

/** Delivers `queue` to a Worker that answers as `answer` says. */
async function deliver(queue: ReturnType<typeof records>, answer: (body: Body) => Sent) {
  const batcher = new Batcher('cluster');
  const bodies: number[][] = [];
  const buried: Refusal[] = [];
  let skipped = 0;
  const delivery = new Delivery({
    batcher,
    sender: {
      send: async (_, body) => {
        bodies.push(offsetsOf(body.records));
        return answer(body);
      },
    },
    deadLetters: {
      bury: async (_, refusals) => {
        buried.push(...refusals);
        return true;
      },
    },
    observer: {
      delivered: () => undefined,
      skipped: (_, tombstones) => {
        skipped += tombstones;
      },
    },
  });
  const done = await delivery.deliver(
    PARTITION,
    batcher.cut(PARTITION, queue),
    new StopController(),
  );
  return {
    done,
    bodies,
    skipped,
    buried: buried.map(({ record: { offset }, code }) => [offset, code]),
  };
}

describe('a delivery', () => {
  test('buries what the Worker rejects together with what was refused before, in order', async () => {
    const queue = [record(0), record(1, 'no json'), record(2), record(3)];
    const { done, buried } = await deliver(queue, (body) => ({
      ...accepted(body),
      kind: 'accepted',
      accepted: 1,
      duplicates: 0,
      rejected: [
        { index: 2, code: 'data_invalid', message: '' },
        { index: 0, code: 'type_mismatch', message: '' },
      ],
    }));
    expect(done).toBe(true);
    expect(buried).toEqual([
      ['0', 'type_mismatch'],
      ['1', 'not_json'],
      ['3', 'data_invalid'],
    ]);
  });

  test('halves a batch that is too large until its parts are taken, in order', async () => {
    const { bodies, buried } = await deliver(records(5), (body) =>
      body.records.length > 2 ? { kind: 'too_large' } : accepted(body),
    );
    expect(bodies).toEqual([[0, 1, 2, 3, 4], [0, 1, 2], [0, 1], [2], [3, 4]]);
    expect(buried).toEqual([]);
  });

  test('buries a single record that is too large', async () => {
    const { buried } = await deliver(records(3), (body) =>
      offsetsOf(body.records).includes(1) ? { kind: 'too_large' } : accepted(body),
    );
    expect(buried).toEqual([['1', 'too_large']]);
  });

  test('finds the records that spoil a batch of 500, with few requests', async () => {
    const bad = [17, 333];
    const { bodies, buried } = await deliver(records(500), (body) =>
      offsetsOf(body.records).some((offset) => bad.includes(offset))
        ? { kind: 'malformed', code: 'record_malformed', message: '' }
        : accepted(body),
    );
    expect(buried).toEqual(bad.map((offset) => [String(offset), 'record_malformed']));
    expect(bodies.length).toBeLessThan(40);
  });

  test('of only tombstones is done without a request and without a dead letter', async () => {
    const queue = [record(0, null), record(1, null)];
    const { done, bodies, buried, skipped } = await deliver(queue, accepted);
    expect({ done, bodies, buried, skipped }).toEqual({
      done: true,
      bodies: [],
      buried: [],
      skipped: 2,
    });
  });

  test('that is stopped halfway is not done, and buries nothing', async () => {
    const { done, buried } = await deliver([record(0, 'no json'), record(1)], () => ({
      kind: 'stopped',
    }));
    expect(done).toBe(false);
    expect(buried).toEqual([]);
  });
});
