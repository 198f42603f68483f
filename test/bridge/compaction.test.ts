/** A topic that Kafka has compacted, which leaves record batches without records. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type JavaClient, startJavaClient } from '../support/java-client.ts';
import { until } from '../support/until.ts';
import { test } from './fixture.ts';

/** The cleaner of the tests' broker begins a round every half second, and a busy machine is slow. */
const CLEANED_MS = 55_000;
const KEY = 'aa';

let java: JavaClient;
beforeAll(async () => {
  java = await startJavaClient();
});
afterAll(() => java.stop());

describe('a compacted topic', () => {
  test('is read past segments that have batches and no records', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic(1, {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.0001',
      'segment.bytes': String(1024 * 1024),
    });
    // Each record has a segment of its own. Of each producer's last batch its head stays, without records.
    for (const producer of ['A', 'B', 'C', 'D', 'E']) {
      await java.run('open', producer, 'none', '-');
      await java.run('send', producer, topic, KEY, `"${producer.repeat(700_000)}"`);
    }
    await until(
      'a topic that is cleaned',
      async () => (await java.run('read', topic)).split(' ').length === 2,
      CLEANED_MS,
    );
    const bridge = await run([topic]);
    await worker.arrival(topic, 2);
    expect(worker.appended(topic).map(({ offset }) => offset)).toEqual([3, 4]);
    await cluster.committed(bridge.groupId, topic, 5);
    await java.run('send', 'A', topic, 'bb', '"one more"');
    await worker.arrival(topic, 3);
  }, 90_000);
});
