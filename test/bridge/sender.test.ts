import { describe, expect, test } from 'vitest';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import type { HttpAnswer } from '../../bridge/delivery/post/answer.ts';
import { Semaphore } from '../../bridge/delivery/post/semaphore.ts';
import { Sender } from '../../bridge/delivery/post/sender.ts';
import { importSigningKey } from '../../bridge/delivery/post/signer.ts';
import { StopController } from '../../bridge/delivery/stop.ts';
import { importSecret, verify } from '../../worker/protocol/batch/signature.ts';
import { until } from '../support/until.ts';
import { SECRET } from './fake-worker.ts';
import { PARTITION, records } from './records.ts';

const ACCEPTED: HttpAnswer = {
  status: 200,
  retryAfter: undefined,
  body: '{"accepted":2,"duplicates":0,"rejected":[]}',
};
const status = (code: number, retryAfter?: string): HttpAnswer => ({
  status: code,
  retryAfter,
  body: '',
});
const { body } = new Batcher('cluster').cut(PARTITION, records(2));
if (body === undefined) throw new Error('no body');

/** A sender on a clock that only its pauses move, and what it did. */
async function sendTo(answers: (HttpAnswer | Error)[], stop = new StopController()) {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const requests: { headers: Record<string, string>; now: number }[] = [];
  const pauses: number[] = [];
  const waiting: (string | undefined)[] = [];
  const sender = new Sender({
    keys: [await importSigningKey(SECRET)],
    permits: new Semaphore(1),
    random: () => 1,
    now: () => now,
    pause: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
    observer: { answered: () => undefined, waiting: (_, reason) => waiting.push(reason) },
    post: async (_, headers) => {
      requests.push({ headers: { ...headers }, now });
      const next = answers.shift();
      if (next === undefined) {
        stop.finish();
        throw new Error('no more answers');
      }
      if (next instanceof Error) throw next;
      return next;
    },
  });
  const sent = await sender.send('lane', body as NonNullable<typeof body>, stop);
  return { sent, requests, pauses, waiting };
}

describe('a sender', () => {
  test('waits out an outage with exponential backoff up to a cap, and says why it waits', async () => {
    const failures = Array.from({ length: 9 }, () => new TypeError('fetch failed'));
    const { sent, pauses, waiting } = await sendTo([...failures, ACCEPTED]);
    expect(sent).toMatchObject({ kind: 'accepted', accepted: 2 });
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    expect(waiting).toEqual([...failures.map(() => 'no_answer'), undefined]);
  });

  test('waits at least as long as Retry-After says', async () => {
    const { pauses } = await sendTo([status(429, '7'), status(503, '0'), ACCEPTED]);
    expect(pauses).toEqual([7_100, 200]);
  });

  test('signs each attempt afresh, under one id for the batch', async () => {
    const { requests } = await sendTo([status(503, '30'), status(401), ACCEPTED]);
    const keys = [{ signingKey: await importSecret(SECRET) }];
    for (const { headers, now } of requests) {
      const header = (name: string) => headers[name];
      const found = await verify(keys, header, body?.bytes ?? Buffer.alloc(0), now / 1000);
      expect(found).toMatchObject({ kind: 'verified', timestamp: Math.floor(now / 1000) });
    }
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(2);
  });

  test('passes on what only halving can settle', async () => {
    const body = JSON.stringify({ error: { code: 'batch_too_large', message: 'no' } });
    expect((await sendTo([{ ...status(413), body }])).sent).toEqual({ kind: 'too_large' });
  });

  test('that is stopped tries no more, and frees its slot', async () => {
    const { sent, requests } = await sendTo([status(503)]);
    expect(sent).toEqual({ kind: 'stopped' });
    expect(requests).toHaveLength(2);
  });
});

test('an answer that takes long is reported while it is awaited, and again when it came', async () => {
  const { promise, resolve } = Promise.withResolvers<HttpAnswer>();
  const waiting: (string | undefined)[] = [];
  const sender = new Sender({
    keys: [await importSigningKey(SECRET)],
    permits: new Semaphore(1),
    slowAnswerMs: 10,
    observer: { answered: () => undefined, waiting: (_, reason) => waiting.push(reason) },
    post: () => promise,
  });
  const sent = sender.send('lane', body, new StopController());
  await until('the wait', () => waiting.length > 0);
  expect(waiting).toEqual(['slow_answer']);
  resolve(ACCEPTED);
  expect(await sent).toMatchObject({ kind: 'accepted' });
  expect(waiting).toEqual(['slow_answer', undefined]);
});
