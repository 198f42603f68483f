/** Batches as Kafka's own producer compresses them: of any content, of 60 MB, and over the bound. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type JavaClient, startJavaClient } from '../support/java-client.ts';
import type { Cluster } from './cluster.ts';
import { test } from './fixture.ts';

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];
/** The largest batch that a topic takes: 10 MB more than the largest one here. */
const BATCH_BYTES = 80_000_000;

let java: JavaClient;
beforeAll(async () => {
  java = await startJavaClient();
  await java.run('open', 'plain', 'none', '-');
  for (const codec of CODECS) await java.run('open', codec, codec, '-', BATCH_BYTES);
});
afterAll(() => java.stop());

/** snappy packs a letter that repeats by no more than 21 to 1. */
const topicOfLargeBatches = (cluster: Cluster) =>
  cluster.createTopic(1, { 'max.message.bytes': '16000000' });

describe.each(CODECS)('compressed with %s', (codec) => {
  test('values of any content and size arrive as they were written', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await topicOfLargeBatches(cluster);
    // Some are larger than a block of snappy (32 KiB) or of lz4 (64 KiB), with little that repeats.
    const value = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.string({ unit: 'grapheme', minLength: 20_000, maxLength: 50_000, size: 'max' }),
      fc.integer({ min: 1, max: 200_000 }).map((length) => 'repeat'.repeat(length / 6)),
    );
    const batches = fc.sample(fc.array(value, { minLength: 1, maxLength: 40 }), {
      numRuns: 25,
      seed: 1,
    });
    for (const values of batches) {
      await java.run('send', codec, topic, '-', ...values.map((text) => JSON.stringify(text)));
    }
    await run([topic]);
    const expected = batches.flat();
    const arrived = await worker.arrival(topic, expected.length);
    expect(arrived.length).toBe(expected.length);
    for (const [index, record] of arrived.entries()) {
      expect(record.offset).toBe(index);
      if (record.value !== expected[index]) throw new Error(`record ${index} is another`);
    }
  });

  test('a batch of 60 MB arrives', async ({ cluster, worker, run }) => {
    const topic = await topicOfLargeBatches(cluster);
    expect(await java.run('bulk', codec, topic, 600, 100_000)).toBe('599');
    const bridge = await run([topic]);
    await cluster.committed(bridge.groupId, topic, 600);
    const arrived = worker.appended(topic);
    expect(arrived.length).toBe(600);
    expect(arrived.every(({ value }) => (value as string).length === 100_000 - 2)).toBe(true);
  });

  test('a batch of 70 MB is one dead letter, and the records around it arrive', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await topicOfLargeBatches(cluster);
    const sibling = await cluster.createTopic();
    // A small batch packs badly, and its producer would expect so of the next and split it.
    await java.run('send', 'plain', topic, '-', '"before"');
    expect(await java.run('bulk', codec, topic, 70, 1_000_000)).toBe('70');
    await java.run('send', codec, topic, '-', '"after"');
    await java.run('send', codec, sibling, '-', '"sibling"');
    const bridge = await run([topic, sibling]);
    await cluster.committed(bridge.groupId, topic, 72);
    await worker.arrival(sibling, 1);
    const values = worker.appended(topic).map(({ value }) => String(value).slice(0, 10));
    expect(values).toEqual(['before', 'after']);
    const [letter] = await cluster.deadLetters(topic, 1);
    expect(letter?.headers).toMatchObject({ 'dlq.code': 'batch_too_large', 'dlq.offset': '70' });
    expect(letter?.headers['dlq.message']).toContain(
      `the offsets 1 to 70 (compression: ${codec}) cannot be read`,
    );
    expect(await cluster.countDeadLetters(topic)).toBe(1);
    expect(await bridge.metric('bridge_consumer_rebuilds_total')).toBe(0);
  });
});

test('large batches of several partitions arrive, though one fetch may not hold them all', async ({
  cluster,
  worker,
  run,
}) => {
  const topics = await Promise.all([1, 2, 3].map(() => topicOfLargeBatches(cluster)));
  for (const topic of topics) await java.run('bulk', 'zstd', topic, 600, 100_000);
  const { groupId } = await run(topics);
  for (const topic of topics) await cluster.committed(groupId, topic, 600);
  for (const topic of topics) expect(worker.appended(topic).length).toBe(600);
});
