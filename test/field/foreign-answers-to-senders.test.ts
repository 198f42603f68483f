/**
 * What other servers say in the gateway's place: proxies, firewalls, pages behind a wrong URL. Only the
 * gateway's own code, with the status that is its own, condemns a record or splits a batch.
 */
import { describe, expect, test } from 'vitest';
import { type HttpAnswer, judge } from '../../bridge/delivery/post/answer.ts';
import { PublishError } from '../../bridge/publisher/errors.ts';
import { HttpEventProducer } from '../../bridge/publisher/http/http-event-producer.ts';
import { HTTP_ERRORS } from '../../worker/protocol/codes.ts';
import { DEVELOPMENT_PUBLISHER_SECRET } from '../../worker/protocol/environment/development.ts';

const HTML = '<html><head><title>413 Request Entity Too Large</title></head></html>';
const json = (value: unknown) => JSON.stringify(value);
const stated = (code: string) => json({ error: { code, message: 'a message' } });

/** Bodies that are not the gateway's, whatever the status. */
const FOREIGN_BODIES: readonly [string, string][] = [
  ['nothing', ''],
  ['a page', HTML],
  ['a text', 'Payload Too Large'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['a string as error', json({ error: 'batch_too_large' })],
  ['a code beside the error', json({ code: 'batch_too_large', message: '' })],
  ['a code without a message', json({ error: { code: 'batch_too_large' } })],
  ["a platform's code", stated('DEPLOYMENT_NOT_FOUND')],
  ["a cloud's code", json({ error: { code: 413, message: 'too large', status: 'INVALID' } })],
  ['a code in capitals', stated('BATCH_TOO_LARGE')],
  ['a name that every object has', stated('toString')],
  ['two texts', `${stated('batch_too_large')}${stated('batch_too_large')}`],
];
const STATUSES = [
  201, 204, 206, 301, 302, 304, 307, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
  412, 413, 414, 415, 418, 421, 422, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504,
  507, 508, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 999,
];
const answer = (status: number, body: string): HttpAnswer => ({
  status,
  retryAfter: undefined,
  body,
});

describe('before the bridge', () => {
  describe.each(FOREIGN_BODIES)('%s', (_what, body) => {
    test.each(STATUSES)('with %i is an outage', (status) => {
      const verdict = { kind: 'retry', reason: `http_${status}` };
      expect(judge(answer(status, body), 1, 0)).toEqual(verdict);
    });
  });

  test.each(STATUSES)(
    'a code of the gateway with %i condemns only if it is its own status',
    (at) => {
      for (const [code, { status }] of Object.entries(HTTP_ERRORS)) {
        if (status === at) continue;
        expect(judge(answer(at, stated(code)), 1, 0)).toEqual({
          kind: 'retry',
          reason: `http_${at}`,
        });
      }
    },
  );

  test.each(Object.entries(HTTP_ERRORS))('%s condemns no more than it says', (code, { status }) => {
    const splits: Record<string, string> = {
      batch_too_large: 'too_large',
      record_malformed: 'malformed',
    };
    const verdict = judge(answer(status, stated(code)), 1, 0);
    expect(verdict.kind).toBe(splits[code] ?? 'retry');
    if (verdict.kind === 'retry') expect(verdict.reason).toBe(code);
  });
});

describe('before the publisher', () => {
  const event = {
    type: 'price_update',
    symbol: 'BTC-USDC',
    data: { price: '1' },
    timestamp: 1_700_000_000_000,
  } as const;

  async function publishTo(status: number, body: string): Promise<unknown> {
    const producer = new HttpEventProducer({
      url: 'http://gateway.test',
      secret: DEVELOPMENT_PUBLISHER_SECRET,
      fetch: async () => ({ status, text: async () => body, headers: new Headers() }),
      wait: async () => undefined,
    });
    await producer.connect();
    const error: unknown = await producer.publishEvent('price.updates', event).catch((e) => e);
    await producer.disconnect();
    return error;
  }

  test.each(STATUSES)(
    'a foreign %i is gateway_unavailable, and condemns no event',
    async (status) => {
      for (const [, body] of FOREIGN_BODIES) {
        const error = await publishTo(status, body);
        expect(error).toBeInstanceOf(PublishError);
        expect(error).toMatchObject({ code: 'gateway_unavailable', retry: true });
      }
    },
  );

  test.each([
    ['batch_too_large', 413, 'event_too_large'],
    ['record_malformed', 400, 'record_malformed'],
    ['batch_malformed', 400, 'batch_malformed'],
    ['position_forbidden', 403, 'position_forbidden'],
    ['signature_invalid', 401, 'signature_invalid'],
    ['not_found', 404, 'not_found'],
  ])("the gateway's own %s is told", async (code, status, told) => {
    expect(await publishTo(status, stated(code))).toMatchObject({ code: told });
  });
});
