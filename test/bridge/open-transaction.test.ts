/** A producer that begins a transaction and does not end it. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { startJavaClient } from '../support/java-client.ts';
import { until } from '../support/until.ts';
import { test } from './fixture.ts';

/** The bridge says so after half a minute. */
const TOLD_MS = 60_000;

test('an open transaction is reported while it hides records, and the other partition flows', async ({
  cluster,
  worker,
  run,
}) => {
  const java = await startJavaClient();
  onTestFinished(() => java.stop());
  const topic = await cluster.createTopic();
  const sibling = await cluster.createTopic();
  await java.run('open', 'A', 'none', randomUUID());
  await java.run('open', '-', 'none', '-');
  await java.run('send', '-', topic, '-', '0');
  await java.run('begin', 'A');
  await java.run('send', 'A', topic, '-', '1');
  await java.run('send', '-', topic, '-', '2');

  const bridge = await run([topic, sibling]);
  await cluster.committed(bridge.groupId, topic, 1);
  await until(
    'a lag of what cannot be read',
    async () => (await bridge.metric('bridge_consumer_lag', { topic })) === 2,
  );
  expect(await bridge.metric('bridge_consumer_stable_lag', { topic })).toBe(0);
  expect((await bridge.ready()).ready).toBe(true);
  await until(
    'a bridge that tells of it',
    async () => {
      const { ready, details } = await bridge.ready();
      return !ready && details[`transaction ${topic}/0`]?.message?.includes('from offset 1 on');
    },
    TOLD_MS,
  );
  expect(await bridge.metric('bridge_open_transaction_seconds', { topic })).toBeGreaterThanOrEqual(
    30,
  );
  await java.run('send', '-', sibling, '-', '"flows"');
  await worker.arrival(sibling, 1);

  await java.run('commit', 'A');
  await worker.arrival(topic, 3);
  await until('a bridge that is ready', async () => (await bridge.ready()).ready);
}, 90_000);
