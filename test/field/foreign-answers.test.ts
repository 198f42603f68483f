/**
 * What a client is answered when its upgrade fails, by the gateway and by whatever stands in front of
 * it: proxies, firewalls, platforms. Only the gateway's own word may stop a client for good.
 */
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { askWhy } from '../../worker/client/connection/close-verdict.ts';
import type { ConnectionStatus } from '../../worker/client/index.ts';
import { HTTP_ERRORS, type HttpErrorCode } from '../../worker/protocol/codes.ts';
import { refuse } from '../../worker/refusal.ts';
import { FakeGateway } from '../client/support/fake-gateway.ts';
import { settle } from '../support/virtual-clock.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');

async function ending(response: Response) {
  const platform = {
    ...({} as Parameters<typeof askWhy>[2]),
    now: () => NOW,
    fetch: async () => response,
  };
  return askWhy(new URL('wss://gateway.test/'), '', platform, new AbortController().signal);
}

const HTML = { 'Content-Type': 'text/html' };
const json = (body: unknown, status: number) => Response.json(body, { status });

/** What stands in `Retry-After`, and the ms that it means; 0 when it means nothing. */
const RETRY_AFTERS = [
  ['0', 0],
  [' 7 ', 7_000],
  ['1.5', 1_500],
  ['7, 7', 7_000],
  ['7s', 0],
  ['in 2030', 0],
  ['at noon, May 7 2031', 0],
  ['2026-11-25T12:00:30Z', 0],
  ['Wednesday, 25-Nov-26 12:00:30 GMT', 30_000],
  ['Wed, 25 Nov 2026 12:00:30 GMT, Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
  ['Wed, 25 Nov 2020 12:00:30 GMT', 0],
] as const;

const FOREIGN: [string, () => Response, number?][] = [
  [
    'the page of a proxy',
    () => new Response('<html>Bad Gateway</html>', { status: 502, headers: HTML }),
  ],
  [
    'a page that says when to come back',
    () => new Response('<html>', { status: 503, headers: { ...HTML, 'Retry-After': '120' } }),
    120_000,
  ],
  [
    'a page that says it by a date',
    () =>
      new Response('', {
        status: 503,
        headers: { 'Retry-After': 'Wed, 25 Nov 2026 12:00:30 GMT' },
      }),
    30_000,
  ],
  [
    'a time to wait that is no time',
    () => new Response('', { status: 503, headers: { 'Retry-After': 'soon' } }),
  ],
  [
    'a time to wait that has passed',
    () => new Response('', { status: 503, headers: { 'Retry-After': '-5' } }),
  ],
  [
    'a deployment that is not found',
    () => json({ error: { code: 'DEPLOYMENT_NOT_FOUND', message: '' } }, 404),
  ],
  ['a firewall that says no in JSON', () => json({ error: { code: 'blocked' } }, 403)],
  [
    'a firewall that says no in a page',
    () => new Response('<h1>403</h1>', { status: 403, headers: HTML }),
  ],
  ['an error of an API gateway', () => json({ message: 'Forbidden' }, 403)],
  ['an error that is a text', () => json({ error: 'unauthorized' }, 401)],
  [
    'an error that looks like ours',
    () => json({ error: { code: 'room_forbidden', message: 'x' } }, 403),
  ],
  ['a login page', () => new Response('<form>', { status: 200, headers: HTML })],
  ['a proxy that asks who we are', () => new Response('', { status: 407 })],
  ['JSON that is no object', () => json([1], 400)],
  ['null', () => json(null, 404)],
  ['an empty answer', () => new Response('', { status: 404 })],
  ['an error that is final and has no code', () => json({ error: { retry: false } }, 404)],
  ['an error whose code is a number', () => json({ error: { code: 7, retry: false } }, 404)],
  ...RETRY_AFTERS.map(
    ([retryAfter, floorMs]) =>
      [
        `a time to wait of ${JSON.stringify(retryAfter)}`,
        () => new Response('', { status: 503, headers: { 'Retry-After': retryAfter } }),
        floorMs,
      ] satisfies [string, () => Response, number],
  ),
  ...[520, 521, 522, 523, 524, 525, 526, 530].map(
    (status) =>
      [
        `error ${status} of Cloudflare`,
        () => new Response('error code: 1101', { status }),
      ] satisfies [string, () => Response],
  ),
];

describe("an answer that is not the gateway's is an outage", () => {
  it.each(FOREIGN)('%s', async (_, response, floorMs = 0) => {
    const answer = await ending(response());
    expect(answer.code).toBeUndefined();
    expect(answer.isAdmitted).toBeUndefined();
    expect(answer).toMatchObject({ reason: `answered ${response().status}`, floorMs });
  });
});

describe('a refusal of the gateway', () => {
  it.each(Object.entries(HTTP_ERRORS))('%s is final as the table says', async (name, { retry }) => {
    const code = name as HttpErrorCode;
    const app = new Hono().get('/', (c) => refuse(c, code, 'so it is'));
    const answer = await ending(await app.request('/'));
    if (code === 'upgrade_required') expect(answer).toMatchObject({ isAdmitted: true });
    else {
      expect(answer.code).toBe(retry ? undefined : code);
      expect(answer.reason).toBe(`refused (${code}: so it is)`);
      if (retry) expect(answer.floorMs).toBeGreaterThan(0);
    }
  });
});

describe('a proxy that removes the subprotocol', () => {
  /** A gateway behind it: only sockets that offer no subprotocol open. */
  async function connected(room: string, token: string) {
    const gateway = new FakeGateway();
    gateway.answer = { status: 426, code: 'upgrade_required' };
    const client = gateway.client({ token });
    const errors: string[] = [];
    const statuses: ConnectionStatus[] = [];
    client.on('error', ({ code }) => errors.push(code));
    client.subscribe(room, { onStatus: (status) => statuses.push(status) });
    (await gateway.socket()).breakOff();
    await settle();
    await gateway.clock.elapse(500);
    return { gateway, errors, statuses, bare: await gateway.socket() };
  }

  it('lets a public room open, and the client says what is lost', async () => {
    const { bare, errors, statuses } = await connected('price:A', 't');
    expect(bare.protocols).toEqual([]);
    bare.join('price:A', 1);
    expect(errors).toEqual(['token_lost']);
    expect(statuses.at(-1)?.state).toBe('open');
    expect(JSON.stringify(statuses)).not.toContain('upgrade_required');
  });

  it('costs a client without a token nothing', async () => {
    const { bare, errors } = await connected('price:A', '');
    bare.join('price:A', 1);
    expect(errors).toEqual([]);
  });

  it('is not blamed for a gateway that was lost again while it admitted a socket', async () => {
    const { gateway, bare, errors } = await connected('price:A', '');
    bare.join('price:A', 1);
    bare.breakOff();
    await gateway.clock.elapse(1_000);
    (await gateway.socket()).breakOff();
    await settle();
    expect(gateway.asked).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  it('is reported when a private room opens in neither way, and the client goes on trying', async () => {
    const { gateway, bare, errors, statuses } = await connected('user:1', 't');
    bare.breakOff();
    await settle();
    expect(errors).toEqual(['upgrade_lost']);
    expect(statuses.at(-1)).toMatchObject({ state: 'waiting', reason: 'the upgrade was lost' });
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).protocols).toEqual(['gateway.v1', 'bearer.t']);
  });
});

describe('a close code that another system sends too', () => {
  it.each([
    [4400, ''],
    [4400, 'Invalid message received'],
    [4401, 'Unauthorized'],
    [4401, ''],
  ])('%i %j is an outage', async (code, reason) => {
    const gateway = new FakeGateway();
    const statuses: ConnectionStatus[] = [];
    gateway.client().subscribe('price:A', { onStatus: (status) => statuses.push(status) });
    const socket = await gateway.socket();
    socket.join('price:A', 1);
    socket.breakOff(code, reason);
    expect(statuses.at(-1)?.state).toBe('waiting');
  });
});

it('a final refusal is reported like every error', async () => {
  const gateway = new FakeGateway();
  gateway.answer = { status: 400, code: 'room_invalid' };
  const client = gateway.client();
  const errors: (readonly [string, string | undefined])[] = [];
  client.on('error', ({ code, room }) => errors.push([code, room]));
  client.subscribe('prices:BTC-USDC');
  (await gateway.socket()).breakOff();
  await settle();
  expect(errors).toEqual([['room_invalid', 'prices:BTC-USDC']]);
});

it('a client that is closed by its owner reports no error', async () => {
  const gateway = new FakeGateway();
  const client = gateway.client();
  const errors: string[] = [];
  client.on('error', ({ code }) => errors.push(code));
  const subscription = client.subscribe('price:A');
  (await gateway.socket()).join('price:A', 1);
  subscription.unsubscribe();
  client.close();
  expect(errors).toEqual([]);
});
