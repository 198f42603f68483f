import kafkajs from 'kafkajs';
import { describe, expect } from 'vitest';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { errorBody } from './fake-worker.ts';
import { test } from './fixture.ts';

const { CompressionTypes } = kafkajs;

describe('from Kafka to the Worker', () => {
  test('every record arrives once, in the order of its partition, with its position', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(3);
    for (const partition of [0, 1, 2]) {
      await cluster.produce(topic, numbered(2_000, 0, partition));
    }
    await run([topic]);
    await worker.arrival(topic, 6_000);
    for (const partition of [0, 1, 2]) {
      const records = worker.appended(topic, partition);
      const expected = Array.from({ length: 2_000 }, (_, n) => n);
      expect(records.map(({ offset }) => offset)).toEqual(expected);
      expect(records.map(({ value }) => (value as { n: number }).n)).toEqual(expected);
      expect(records[0]?.key).toBe('BTC-USDC');
    }
    const { clusterId } = await cluster.admin.describeCluster();
    expect(worker.batches[0]?.batch.source).toBe(clusterId);
  });

  test('a partition has one batch under way at a time, and its id is its own', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    worker.behave = () => ({ kind: 'append', afterMs: 5 });
    await cluster.produce(topic, numbered(5_000));
    await run([topic]);
    await worker.arrival(topic, 5_000);
    expect(worker.mostAtOnce).toBe(1);
    expect(new Set(worker.batches.map(({ id }) => id)).size).toBe(worker.batches.length);
  });

  test('the group is committed up to what was delivered, and the lag is measured', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const bridge = await run([topic]);
    await cluster.produce(topic, numbered(700));
    const { groupId } = bridge;
    await cluster.committed(groupId, topic, 700);
    expect(worker.appended(topic)).toHaveLength(700);

    worker.behave = () => ({ kind: 'answer', status: 503 });
    await cluster.produce(topic, numbered(5, 700));
    await until(
      'a lag of five',
      async () => (await bridge.metric('bridge_consumer_lag', { topic })) === 5,
    );
  });

  for (const codec of ['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const) {
    test(`a batch compressed with ${codec} is read`, async ({ cluster, worker, run }) => {
      const topic = await cluster.createTopic();
      await cluster.produce(topic, numbered(300), CompressionTypes[codec]);
      await run([topic]);
      await worker.arrival(topic, 300);
      expect(worker.appended(topic).at(-1)?.value).toEqual({ n: 299 });
    });
  }
});

describe('what can never be delivered', () => {
  test('goes to the dead letters with its reason, and the next good record arrives', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const smuggler = '1},{"topic":"x","partition":0,"offset":999999,"timestamp":1,"value":2';
    await cluster.produce(topic, [
      { value: 'not json', headers: { trace: 'abc' } },
      { value: null },
      { key: 'k', value: Buffer.from([0x22, 0xff, 0x22]) },
      { value: smuggler },
      { value: '\ufeff{}' },
      { value: '"rejected by the Worker"' },
      { value: '{"good":true}' },
    ]);
    worker.behave = () => ({
      kind: 'append',
      reject: ({ value }) => (typeof value === 'string' ? 'event_not_object' : undefined),
    });
    const bridge = await run([topic]);
    await worker.arrival(topic, 1);
    expect(worker.appended(topic)).toMatchObject([{ offset: 6, value: { good: true } }]);

    const letters = await cluster.deadLetters(topic, 5);
    expect(letters.map(({ headers }) => headers['dlq.code'])).toEqual([
      'not_json',
      'not_utf8',
      'not_json',
      'not_json',
      'event_not_object',
    ]);
    expect(letters[0]).toMatchObject({
      value: Buffer.from('not json'),
      headers: { trace: 'abc', 'dlq.topic': topic, 'dlq.partition': '0', 'dlq.offset': '0' },
    });
    expect(letters[1]).toMatchObject({ key: 'k', value: Buffer.from([0x22, 0xff, 0x22]) });
    const { groupId } = bridge;
    await cluster.committed(groupId, topic, 7);
    expect(await bridge.metric('bridge_records_tombstone_total', { topic })).toBe(1);
    expect(await cluster.countDeadLetters(topic)).toBe(5);
  });

  test('leaves out tombstones: a partition of them is passed and committed', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    await cluster.produce(
      topic,
      Array.from({ length: 600 }, (_, n) => ({ key: `k${n}`, value: null })),
    );
    const bridge = await run([topic]);
    await cluster.committed(bridge.groupId, topic, 600);
    expect(await bridge.metric('bridge_records_tombstone_total', { topic })).toBe(600);
    expect(await cluster.countDeadLetters(topic)).toBe(0);
    expect(worker.batches).toEqual([]);
  });

  test('a record that spoils its batch is found by halving, the others arrive', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    const bad = 123;
    worker.behave = ({ records }) =>
      records.some(({ offset }) => offset === bad)
        ? { kind: 'answer', status: 400, body: errorBody('record_malformed') }
        : { kind: 'append' };
    await cluster.produce(topic, numbered(400));
    await run([topic]);
    await worker.arrival(topic, 399);
    const [letter] = await cluster.deadLetters(topic, 1);
    expect(letter?.headers).toMatchObject({
      'dlq.code': 'record_malformed',
      'dlq.offset': String(bad),
    });
  });

  test('a value larger than a batch is dead-lettered whole, or cut short if the topic refuses it', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(1, { 'max.message.bytes': '4000000' });
    const large = JSON.stringify('x'.repeat(2_000_000));
    await cluster.produce(topic, [{ value: large }, { value: '{}' }]);
    await run([topic]);
    await worker.arrival(topic, 1);
    const [letter] = await cluster.deadLetters(topic, 1);
    expect(letter?.headers).toMatchObject({
      'dlq.code': 'too_large',
      'dlq.truncated-from': String(large.length),
    });
    expect(letter?.value).toHaveLength(64 * 1024);
  });
});
