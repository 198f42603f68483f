import { describe, expect } from 'vitest';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { test } from './fixture.ts';

const all = (count: number) => Array.from({ length: count }, (_, offset) => offset);

/** Records of a kilobyte each. */
const padded = (count: number, partition: number) =>
  numbered(count, 0, partition).map((message) => ({ ...message, value: `"${'x'.repeat(1_000)}"` }));

describe('a slow partition', () => {
  test('does not stall its siblings, and is complete once it is answered', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(4);
    let hung = true;
    worker.behave = ({ records }) =>
      hung && records[0]?.partition === 0 ? { kind: 'answer', status: 503 } : { kind: 'append' };
    const many = 4_000;
    // More than the lane of the slow partition may hold, so that it must be paused.
    const bridge = await run([topic], { BRIDGE_BUFFER_MIB: '4' });
    for (const partition of [0, 1, 2, 3]) {
      for (let first = 0; first < many; first += 500) {
        await cluster.produce(topic, padded(500, partition));
      }
    }
    const arrived = (partition: number) => worker.appended(topic, partition).length;
    await until(
      'the siblings, complete',
      () => arrived(1) === many && arrived(2) === many && arrived(3) === many,
    );
    expect(arrived(0)).toBe(0);

    // Paused, not waited for: a sibling's record goes through in far less than a retry's backoff.
    await cluster.produce(topic, numbered(1, many, 1));
    await until('one more of a sibling, at once', () => arrived(1) === many + 1, 1_000);
    expect(await bridge.metric('bridge_rebalances_total')).toBe(1);
    expect(await bridge.metric('bridge_buffered_bytes')).toBeLessThan(8 * 1024 * 1024);

    hung = false;
    await until('the slow partition, complete', () => arrived(0) === many);
    const offsets = worker.appended(topic, 0);
    expect(offsets.map(({ offset }) => offset)).toEqual(all(many));
  });

  test('that begins to hang in the POST of several does not stall the others', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(3);
    const bridge = await run([topic]);
    let count = 0;
    let isHung = false;
    const produceOne = async (...partitions: number[]) => {
      await cluster.produce(
        topic,
        partitions.flatMap((partition) => numbered(1, count, partition)),
      );
      count++;
    };
    worker.behave = ({ records }) => {
      const partitions = new Set(records.map(({ partition }) => partition));
      if (!partitions.has(0)) return { kind: 'append' };
      isHung ||= partitions.size > 1;
      if (!isHung) return { kind: 'append' };
      return partitions.size > 1 ? { kind: 'hang' } : { kind: 'answer', status: 503 };
    };
    await until('a POST of several that hangs', async () => {
      await produceOne(0, 1, 2);
      return isHung;
    });
    const arrived = (partition: number) => worker.appended(topic, partition);
    const before = arrived(0).length;
    for (let more = 0; more < 3; more++) await produceOne(1, 2);
    await until('the siblings, complete', () =>
      [1, 2].every((partition) => arrived(partition).length === count),
    );
    expect(arrived(0)).toHaveLength(before);
    const unanswered = { reason: 'shared_unanswered' };
    expect(await bridge.metric('bridge_posts_total', unanswered)).toBeGreaterThan(0);

    worker.behave = () => ({ kind: 'append' });
    await until('the slow partition, complete', () => arrived(0).length === count - 3);
    for (const partition of [0, 1, 2]) {
      const offsets = arrived(partition).map(({ offset }) => offset);
      expect(offsets).toEqual(all(offsets.length));
    }
  });
});
