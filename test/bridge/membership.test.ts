import { describe, expect } from 'vitest';
import { uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { test } from './fixture.ts';
import { runBridge } from './running-bridge.ts';

const all = (count: number) => Array.from({ length: count }, (_, offset) => offset);

describe('kill -9', () => {
  test('at random moments under load, with restarts, leaves everything complete and in order', async ({
    cluster,
    worker,
    spawn,
  }) => {
    const topic = await cluster.createTopic(2);
    const groupId = uniqueName('group');
    worker.behave = () => ({ kind: 'append', afterMs: 10 });
    const count = 10_000;
    for (const partition of [0, 1]) await cluster.produce(topic, numbered(count, 0, partition));
    for (const share of [0.1, 0.4, 0.7]) {
      const bridge = await spawn([topic], groupId);
      await worker.arrival(topic, 2 * count * share);
      await bridge.end('SIGKILL');
    }
    await spawn([topic], groupId);
    await worker.arrival(topic, 2 * count);
    for (const partition of [0, 1]) {
      const records = worker.appended(topic, partition);
      expect(records.map(({ offset }) => offset)).toEqual(all(count));
    }
  });
});

describe('a rebalance', () => {
  test('during long batches loses nothing, with a second bridge that comes and goes', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(4);
    const count = 3_000;
    worker.behave = () => ({ kind: 'append', afterMs: 400 });
    for (const partition of [0, 1, 2, 3]) {
      await cluster.produce(topic, numbered(count, 0, partition));
    }
    const first = await run([topic]);
    await worker.arrival(topic, 1);
    const second = await runBridge(worker, [topic], { KAFKA_GROUP_ID: first.groupId });
    await until(
      'a second bridge that delivers',
      async () => (await second.metric('bridge_records_accepted_total')) > 0,
    );
    await second.stop();
    await worker.arrival(topic, 4 * count);
    for (const partition of [0, 1, 2, 3]) {
      const records = worker.appended(topic, partition);
      expect(records.map(({ offset }) => offset)).toEqual(all(count));
    }
    expect(await first.metric('bridge_rebalances_total')).toBeGreaterThanOrEqual(3);
    expect(await first.metric('bridge_consumer_rebuilds_total')).toBe(0);
  });
});
