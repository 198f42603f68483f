import { describe, expect } from 'vitest';
import { uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { test } from './fixture.ts';

describe('stopping', () => {
  test('by SIGTERM during an outage leaves the group in time, and a restart is complete', async ({
    cluster,
    worker,
    spawn,
  }) => {
    const topic = await cluster.createTopic(2);
    const groupId = uniqueName('group');
    const first = await spawn([topic], groupId);
    worker.behave = () => ({ kind: 'hang' });
    for (const partition of [0, 1]) await cluster.produce(topic, numbered(1_000, 0, partition));
    await until('a batch of each partition', () => worker.batches.length === 2);
    const { code, ms } = await first.end('SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
    const { groups } = await cluster.admin.describeGroups([groupId]);
    expect(groups[0]?.members).toEqual([]);

    worker.behave = () => ({ kind: 'append' });
    await spawn([topic], groupId);
    await worker.arrival(topic, 2_000);
  });

  test('by SIGTERM lets the batch under way be answered and commits it', async ({
    cluster,
    worker,
    spawn,
  }) => {
    const topic = await cluster.createTopic();
    const groupId = uniqueName('group');
    const bridge = await spawn([topic], groupId);
    worker.behave = () => ({ kind: 'append', afterMs: 1_000 });
    await cluster.produce(topic, numbered(10));
    await until('a batch', () => worker.batches.length === 1);
    expect(await bridge.end('SIGTERM')).toMatchObject({ code: 0 });
    const [found] = await cluster.admin.fetchOffsets({ groupId, topics: [topic] });
    expect(found?.partitions[0]?.offset).toBe('10');
    expect(worker.batches).toHaveLength(1);
  });

  test('while Kafka cannot be reached ends in time', async ({ spawn }) => {
    const nobody = { KAFKA_BROKERS: '127.0.0.1:9' };
    const bridge = await spawn(['any'], uniqueName('group'), nobody, 'bridge started');
    await until('the reason', async () => (await bridge.ready()).problems.kafka !== 'connecting');
    expect((await bridge.ready()).ready).toBe(false);
    const { code, ms } = await bridge.end('SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
  });
});
