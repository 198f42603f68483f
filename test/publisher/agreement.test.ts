/** What the SDK accepts the Worker accepts; what the Worker rejects the SDK refuses, by the same code. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import { PublishError } from '../../bridge/publisher/errors.ts';
import { encodeEvent } from '../../bridge/publisher/outbox/encode-event.ts';
import { routeUnpositioned } from '../../worker/ingest/route.ts';
import { readBatch } from '../../worker/protocol/batch/read-batch.ts';
import { importSecret, sign } from '../../worker/protocol/batch/signature.ts';
import { DEVELOPMENT_PUBLISHER_SECRET } from '../../worker/protocol/environment/development.ts';
import { judgeExpiry } from '../../worker/protocol/events/admit.ts';
import { EVERY_SYMBOL } from '../../worker/symbols.ts';
import { type Case, hasLossyNumber, nested, someEvent } from './hostile-events.ts';

const ACCEPTED = 'accepted';

function verdictOfSdk({ topic, event }: Case, now: number): string {
  const encoded = encodeEvent(topic, event, now);
  return encoded instanceof PublishError ? encoded.code : ACCEPTED;
}

/** The batch as any other publisher would write it. */
function bodyOf(cases: readonly Case[]): Uint8Array<ArrayBuffer> {
  const records = cases.map(({ topic, event }) => ({ topic, value: event ?? null }));
  return new TextEncoder().encode(JSON.stringify({ records }));
}

/** The Worker's own reading, routing and expiry, in this process. */
function verdictInProcess(one: Case, now: number): string {
  const reading = readBatch(bodyOf([one]));
  if (reading.kind !== 'webhook') return reading.kind;
  const { rooms, rejected } = routeUnpositioned(
    reading,
    { webhookId: 'id', staleAt: now },
    EVERY_SYMBOL,
    now,
  );
  if (rejected[0] !== undefined) return rejected[0].code;
  for (const { records } of rooms.values()) {
    const [, , , expiresAt] = records[0] ?? [];
    const expired = judgeExpiry(expiresAt, now);
    if (expired !== undefined) return expired.code;
  }
  return ACCEPTED;
}

const seed = Date.now();
const numRuns = Number(process.env.PUBLISHER_RUNS ?? 20_000);

test(`SDK and Worker agree on ${numRuns} random events (seed ${seed})`, () => {
  const now = Date.now();
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(someEvent, (one) => {
      fc.pre(!hasLossyNumber(one.event) && one.event !== undefined);
      const verdict = verdictOfSdk(one, now);
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
      expect(verdict).toBe(verdictInProcess(one, now));
    }),
    { seed, numRuns },
  );
  // The generator must reach what it is there for.
  for (const code of [
    ACCEPTED,
    'topic_unknown',
    'event_not_object',
    'event_too_large',
    'event_too_deep',
    'event_expired',
    'forbidden_key',
    'private_field',
    'type_invalid',
    'symbol_invalid',
    'user_id_invalid',
    'target_invalid',
    'data_invalid',
    'timestamp_invalid',
    'metadata_invalid',
  ]) {
    expect(seen.get(code) ?? 0, code).toBeGreaterThan(0);
  }
});

describe('the real Worker', () => {
  let worker: RunningWorker;
  beforeAll(async () => {
    const { mkdtemp, rm } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const stateDir = await mkdtemp(`${tmpdir()}/gateway-agreement-`);
    worker = await startWorker({ port: await freePort(), stateDir });
    return async () => {
      await worker.stop();
      await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
    };
  });

  /** Verdicts of one batch. */
  async function verdicts(cases: readonly Case[]): Promise<string[]> {
    const body = bodyOf(cases);
    const key = await importSecret(DEVELOPMENT_PUBLISHER_SECRET);
    const headers = await sign([key], crypto.randomUUID(), body);
    const response = await fetch(`${worker.url}/v1/events`, { method: 'POST', headers, body });
    expect(response.status, `${body.length} bytes`).toBe(200);
    const answer = (await response.json()) as { rejected: { index: number; code: string }[] };
    const found = cases.map(() => ACCEPTED);
    for (const { index, code } of answer.rejected) found[index] = code;
    return found;
  }

  test(`agrees on 500 random events (seed ${seed})`, async () => {
    const cases = fc
      .sample(someEvent, { seed, numRuns: 700 })
      .filter(({ event }) => event !== undefined && !hasLossyNumber(event))
      .slice(0, 500);
    for (let start = 0; start < cases.length; ) {
      let end = start + 1;
      while (
        end < cases.length &&
        end - start < 50 &&
        bodyOf(cases.slice(start, end + 1)).length < 1e6
      )
        end++;
      const some = cases.slice(start, end);
      expect(some.map((one) => verdictOfSdk(one, Date.now()))).toEqual(await verdicts(some));
      start = end;
    }
  });

  test.each([16, 17, 200, 2_000])('agrees on data nested to %i', async (depth) => {
    const notification = (data: unknown): Case => ({
      topic: 'notifications',
      event: { type: 'a', target: { type: 'user', id: 'u' }, data },
    });
    const cases = [
      notification(nested(depth - 1, 'object')),
      notification({ a: nested(depth - 2, 'array') }),
    ];
    expect(cases.map((one) => verdictOfSdk(one, Date.now()))).toEqual(await verdicts(cases));
  });
});

describe('what JSON cannot say', () => {
  const price = (data: unknown): Case => ({
    topic: 'price.updates',
    event: { type: 'price_update', symbol: 'A', data, timestamp: 1 },
  });
  const cycle: Record<string, unknown> = { price: 1 };
  cycle.self = cycle;
  const throwing = {
    get price() {
      throw new Error('no');
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  test.each([
    ['NaN', price({ price: Number.NaN }), 'data_invalid'],
    [
      'Infinity in depth',
      price({ price: 1, a: [{ b: Number.POSITIVE_INFINITY }] }),
      'data_invalid',
    ],
    ['a boxed NaN', price({ price: 1, a: Object(Number.NaN) }), 'data_invalid'],
    ['a cycle', price(cycle), 'data_invalid'],
    ['a getter that throws', price(throwing), 'data_invalid'],
    ['a revoked proxy', price(proxy), 'data_invalid'],
    ['nothing at all', { topic: 'price.updates', event: undefined }, 'event_not_object'],
    ['depth beyond any stack', price(nested(200_000, 'object')), 'event_too_deep'],
    [
      'an array of such depth',
      { topic: 'price.updates', event: nested(200_000, 'array') },
      'event_not_object',
    ],
    ['a cycle on no topic', { ...price(cycle), topic: 'none' }, 'topic_unknown'],
  ])('%s is refused', (_, one, code) => {
    expect(verdictOfSdk(one, 0)).toBe(code);
  });

  test.each([
    ['Map', new Map([[1, 2]])],
    ['Set', new Set([1])],
    ['Error', new TypeError('no')],
  ])('a %s in depth is refused by name, because JSON would keep nothing of it', (name, value) => {
    const encoded = encodeEvent('price.updates', price({ price: 1, a: [{ b: value }] }).event, 0);
    expect(encoded).toMatchObject({ code: 'data_invalid' });
    expect(String(encoded)).toContain(`"b" is a ${name}`);
  });

  test('but a bigint is a decimal string', () => {
    const encoded = encodeEvent(
      'price.updates',
      {
        type: 'price_update',
        symbol: 'A',
        data: { price: 10n ** 30n },
        timestamp: 1,
      },
      0,
    );
    expect(encoded).toMatchObject({
      key: 'A',
      timestamp: 1,
      text: `{"type":"price_update","symbol":"A","data":{"price":"1${'0'.repeat(30)}"},"timestamp":1}`,
    });
  });
});
