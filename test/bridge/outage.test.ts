import { describe, expect } from 'vitest';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { startFakeWorker } from './fake-worker.ts';
import { test } from './fixture.ts';
import { runBridge } from './running-bridge.ts';

const all = (count: number) => Array.from({ length: count }, (_, offset) => offset);

describe('an outage of the Worker', () => {
  test('of refused connections never ends the consumer, which keeps its membership and its place', async ({
    cluster,
  }) => {
    const topic = await cluster.createTopic();
    const first = await startFakeWorker();
    const port = Number(new URL(first.url).port);
    const bridge = await runBridge(first, [topic]);
    await cluster.produce(topic, numbered(10));
    await first.arrival(topic, 10);
    await first.stop();

    await cluster.produce(topic, numbered(3_000, 10));
    await until(
      'a sixth attempt',
      async () => (await bridge.metric('bridge_posts_total', { reason: 'gateway_refused' })) > 5,
    );
    expect((await bridge.ready()).problems).toEqual({ [`delivery ${topic}/0`]: 'gateway_refused' });
    expect(await bridge.metric('bridge_rebalances_total')).toBe(1);
    expect(await bridge.metric('bridge_consumer_rebuilds_total')).toBe(0);

    const second = await startFakeWorker(port);
    await second.arrival(topic, 3_000);
    expect(second.appended(topic).map(({ offset }) => offset)).toEqual(all(3_010).slice(10));
    expect((await bridge.ready()).ready).toBe(true);
    await bridge.stop();
    await second.stop();
  });

  for (const status of [401, 403, 404, 405, 408, 429, 500, 503] as const) {
    test(`answered with ${status} is waited out, in order, with readiness red`, async ({
      cluster,
      worker,
      run,
    }) => {
      const topic = await cluster.createTopic();
      const bridge = await run([topic]);
      worker.behave = () => ({ kind: 'answer', status });
      await cluster.produce(topic, numbered(20));
      await until('a problem', async () => !(await bridge.ready()).ready);
      expect((await bridge.ready()).problems).toEqual({
        [`delivery ${topic}/0`]: `http_${status}`,
      });
      worker.behave = () => ({ kind: 'append' });
      await worker.arrival(topic, 20);
      expect(await cluster.countDeadLetters(topic)).toBe(0);
    });
  }

  test('that cuts connections in the middle leaves nothing out and nothing twice', async ({
    cluster,
    worker,
    run,
  }) => {
    const topic = await cluster.createTopic();
    let posts = 0;
    worker.behave = () => (++posts % 3 === 0 ? { kind: 'append' } : { kind: 'drop' });
    await cluster.produce(topic, numbered(2_000));
    await run([topic]);
    await worker.arrival(topic, 2_000);
    expect(worker.appended(topic).map(({ offset }) => offset)).toEqual(all(2_000));
  });
});
