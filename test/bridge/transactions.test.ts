/** What Kafka's own producer wrote in transactions, against what a `read_committed` consumer sees. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type JavaClient, startJavaClient } from '../support/java-client.ts';
import { until } from '../support/until.ts';
import { test } from './fixture.ts';

/** A key that is the integer 0, which looks like the key of an abort marker. */
const ZERO_KEY = '00000000';

/** The producers `A`, `B` and `C` have a transaction each; `-` writes outside of any. */
const HISTORIES: Record<string, string[]> = {
  'two interleaved, the first to begin aborts first': [
    'begin A, begin B, send A, send B, send A, abort A, send B, abort B',
    'begin A, send A, commit A',
  ],
  'two interleaved, the first to begin aborts last': [
    'begin A, begin B, send A, send B, send A, abort B, send A, abort A',
    'begin B, send B, commit B',
  ],
  'one aborts within another that commits': [
    'begin A, begin B, send A, send B, send A, abort B, send A, commit A',
  ],
  'one commits within another that aborts': [
    'begin A, begin B, send A, send B, send A, commit B, send A, abort A',
    'send -',
  ],
  'three that abort in every order, and records outside of any': [
    'begin A, begin B, begin C, send C, send B, send A, send -, abort B',
    'begin B, send B, send C, commit B, send A, abort A, send -, abort C',
    'begin C, send C, begin A, send A, commit C, abort A',
  ],
  'an aborted record with the key of an abort marker': [
    `begin A, send A ${ZERO_KEY}, send A, send A ${ZERO_KEY}, abort A`,
    `begin A, send A ${ZERO_KEY}, commit A, send - ${ZERO_KEY}`,
  ],
  'all aborted': ['begin A, send A, send A, abort A'],
};

/** Histories that nobody has thought of. All transactions end, because an open one hides the rest. */
const anyHistory = fc
  .array(
    fc.record({
      producer: fc.constantFrom('A', 'B', 'C', '-'),
      act: fc.constantFrom('send', 'send', 'send', 'commit', 'abort'),
      key: fc.constantFrom('-', ZERO_KEY, '00000001'),
    }),
    { minLength: 60, maxLength: 60 },
  )
  .map((acts) => {
    const open = new Set<string>();
    const steps: string[] = [];
    for (const { producer, act, key } of acts) {
      const isTransactional = producer !== '-';
      if (act === 'send') {
        if (isTransactional && !open.has(producer)) steps.push(`begin ${producer}`);
        if (isTransactional) open.add(producer);
        steps.push(`send ${producer} ${key}`);
      } else if (open.delete(producer)) {
        steps.push(`${act} ${producer}`);
      }
    }
    return [...steps, ...[...open].map((producer) => `abort ${producer}`)];
  });
for (const [index, steps] of fc.sample(anyHistory, { numRuns: 3, seed: 7 }).entries()) {
  HISTORIES[`generated, number ${index + 1}`] = steps;
}

let java: JavaClient;
beforeAll(async () => {
  java = await startJavaClient();
});
afterAll(() => java.stop());

describe('transactions of which a read_committed consumer sees the same', () => {
  for (const [name, lines] of Object.entries(HISTORIES)) {
    const steps = lines.join(', ').split(', ');
    test(name, async ({ cluster, worker, run }) => {
      const topic = await cluster.createTopic();
      await java.run('open', '-', 'none', '-');
      for (const producer of ['A', 'B', 'C']) {
        await java.run('open', producer, 'none', randomUUID());
      }
      for (const [index, step] of steps.entries()) {
        const [act = '', producer = '', key = '-'] = step.split(' ');
        if (act === 'send') await java.run('send', producer, topic, key, index);
        else await java.run(act, producer);
      }
      const bridge = await run([topic]);
      // The group's position passes the markers and what was aborted, so nothing is left behind.
      const [range] = await cluster.admin.fetchTopicOffsets(topic);
      await cluster.committed(bridge.groupId, topic, Number(range?.high));
      const seen = worker.appended(topic).map(({ offset, value }) => `${offset}:${value}`);
      expect(seen.join(' ')).toBe(await java.run('read', topic));
    });
  }

  test('leave no lag behind their markers', async ({ cluster, worker, run }) => {
    worker.behave = () => ({ kind: 'answer', status: 503 });
    const topic = await cluster.createTopic();
    const bridge = await run([topic]);
    await java.run('open', 'A', 'none', randomUUID());
    for (const end of ['commit', 'abort', 'commit', 'abort']) {
      await java.run('begin', 'A');
      await java.run('send', 'A', topic, '-', 1);
      await java.run(end, 'A');
    }
    const lag = () => bridge.metric('bridge_consumer_lag', { topic });
    await until('a lag that counts the markers', async () => (await lag()) === 8);
    worker.behave = () => ({ kind: 'append' });
    await until('no lag', async () => (await lag()) === 0);
    expect(worker.appended(topic).map(({ offset }) => offset)).toEqual([0, 4]);
  });
});
