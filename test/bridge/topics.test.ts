import { describe, expect } from 'vitest';
import { uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { test } from './fixture.ts';

const offsets = (records: readonly { offset: number }[]) => records.map(({ offset }) => offset);

describe('topics', () => {
  test('that are missing are created at the start, with the broker’s clock and room for dead letters', async ({
    cluster,
    run,
  }) => {
    const topic = uniqueName('topic');
    await run([topic]);
    const { resources } = await cluster.admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: 2, name: topic, configNames: ['message.timestamp.type'] },
        { type: 2, name: `${topic}.dlq`, configNames: ['max.message.bytes'] },
      ],
    });
    expect(resources.map(({ configEntries }) => configEntries[0]?.configValue)).toEqual([
      'LogAppendTime',
      String(16 * 1024 * 1024),
    ]);
  });

  test('that are deleted are reported as missing, the others flow, and recreated ones flow again', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const sibling = await cluster.createTopic();
    const bridge = await run([topic, sibling]);
    await cluster.produce(topic, numbered(50));
    await worker.arrival(topic, 50);

    await cluster.admin.deleteTopics({ topics: [topic] });
    await until(
      'the missing topic on the readiness page',
      async () => (await bridge.ready()).problems.topics === `missing: ${topic}`,
    );
    await cluster.produce(sibling, numbered(5));
    await worker.arrival(sibling, 5);

    await cluster.admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await cluster.produce(topic, numbered(5));
    await worker.arrival(topic, 55);
    expect(offsets(worker.appended(topic).slice(50))).toEqual([0, 1, 2, 3, 4]);
    await until('a bridge that is ready', async () => (await bridge.ready()).ready);
  });

  // With fewer records than before, and with more: then the old position exists in the new log too.
  for (const count of [20, 200]) {
    test(`that are recreated at once with ${count} records flow from their first`, async ({
      cluster,
      worker,
      run,
    }) => {
      const topic = await cluster.createTopic();
      await run([topic]);
      await cluster.produce(topic, numbered(50));
      await worker.arrival(topic, 50);
      await cluster.recreateTopic(topic);
      await cluster.produce(topic, numbered(count));
      await worker.arrival(topic, 50 + count);
      expect(offsets(worker.appended(topic).slice(50))).toEqual(
        Array.from({ length: count }, (_, n) => n),
      );
    });
  }

  test('that are recreated during an outage of the Worker flow from their first record after it', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const bridge = await run([topic], { BRIDGE_BUFFER_MIB: '1' });
    await cluster.produce(topic, numbered(50));
    await cluster.committed(bridge.groupId, topic, 50);
    // Enough to fill the lane, so that nothing is fetched from the topic when it is recreated.
    worker.behave = () => ({ kind: 'answer', status: 503 });
    for (const first of [50, 2_050]) await cluster.produce(topic, numbered(2_000, first));
    await until('a full lane', async () => (await bridge.metric('bridge_buffered_bytes')) > 1.1e6);
    await cluster.recreateTopic(topic);
    for (const first of [0, 3_000]) await cluster.produce(topic, numbered(3_000, first));
    await until('a new beginning', async () => {
      return (await bridge.metric('bridge_consumer_rebuilds_total')) > 0;
    });
    worker.behave = () => ({ kind: 'append' });
    const records = await worker.arrival(topic, 6_050);
    expect(offsets(records.slice(50))).toEqual(Array.from({ length: 6_000 }, (_, n) => n));
  });

  test('that are recreated while the bridge is down flow from their first record', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const first = await run([topic]);
    await cluster.produce(topic, numbered(50));
    await worker.arrival(topic, 50);
    await first.stop();
    await cluster.recreateTopic(topic);
    await cluster.produce(topic, numbered(60));
    await run([topic], { KAFKA_GROUP_ID: first.groupId });
    await worker.arrival(topic, 110);
  });

  test('that get more partitions are read in all of them', async ({ cluster, worker, run }) => {
    const topic = await cluster.createTopic();
    await run([topic]);
    await cluster.admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    await until(
      'a record of a new partition',
      async () => {
        await cluster.produce(topic, numbered(1, 0, 2)).catch(() => undefined);
        return worker.appended(topic, 2).length > 0;
      },
      60_000,
    );
  });
});

describe('retention', () => {
  test('that takes records before they are read is counted, and reading goes on', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const first = await run([topic]);
    await cluster.produce(topic, numbered(10));
    await worker.arrival(topic, 10);
    await first.stop();

    await cluster.produce(topic, numbered(100, 10));
    await cluster.admin.fetchTopicOffsets(topic);
    await cluster.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '60' }] });
    const second = await run([topic], { KAFKA_GROUP_ID: first.groupId });
    await worker.arrival(topic, 60);
    expect(worker.appended(topic)[10]?.offset).toBe(60);
    await until(
      'a reset that is counted',
      async () => (await second.metric('bridge_offset_resets_total', { cause: 'retention' })) === 1,
    );
    expect(await second.metric('bridge_records_lost_total', { topic })).toBe(50);
  });

  test('is not blamed for the holes of compaction and transactions', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const producer = await cluster.transactional();
    for (const outcome of ['commit', 'abort', 'commit'] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: numbered(10) });
      await transaction[outcome]();
    }
    const bridge = await run([topic]);
    await worker.arrival(topic, 20);
    // Ten records, a marker, ten that were aborted, a marker, ten records, a marker.
    await cluster.committed(bridge.groupId, topic, 33);
    expect(await bridge.metric('bridge_offset_resets_total')).toBe(0);
    await producer.disconnect();
  });
});
