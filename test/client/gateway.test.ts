/** The client against a Worker that runs, over real sockets. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sign } from 'hono/jwt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import {
  type ConnectionStatus,
  type Gap,
  GatewayClient,
  type GatewayClientOptions,
} from '../../worker/client/index.ts';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { until } from '../support/until.ts';
import { post } from '../support/worker.ts';

let stateDir: string;
let worker: RunningWorker;
/** The room keeps positions of each topic: offsets go on from test to test. */
let offset = 0;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'gateway-client-'));
  worker = await startWorker({ port: await freePort(), stateDir });
});

afterAll(async () => {
  await worker.stop();
  await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
});

async function publishAlerts(count: number): Promise<string[]> {
  const titles = Array.from({ length: count }, () => `alert ${offset++}`);
  const records = titles.map((title) => ({
    topic: 'system.alerts',
    offset: Number(title.split(' ')[1]),
    value: `{"type":"system_alert","data":{"level":"info","title":"${title}","message":"m"},"timestamp":1}`,
  }));
  await until('the Worker takes the alerts', async () => (await post(worker.url, records)).ok);
  return titles;
}

async function publishTrades(symbol: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `t${offset++}`);
  const records = ids.map((tradeId) => ({
    topic: 'trade.notifications',
    offset: Number(tradeId.slice(1)),
    value: `{"type":"trade_notification","symbol":"${symbol}","data":{"tradeId":"${tradeId}","price":45000.50,"amount":"1.0","side":"buy"},"timestamp":1}`,
  }));
  await until('the Worker takes the trades', async () => (await post(worker.url, records)).ok);
  return ids;
}

function connect(options: Partial<GatewayClientOptions> = {}) {
  const errors: string[] = [];
  const client = new GatewayClient({ url: worker.url, ...options });
  client.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
  onTestFinished(() => client.close());
  return { client, errors };
}

function read(
  client: GatewayClient,
  room: `trade:${string}`,
  since?: { epoch: number; seq: number },
) {
  const ids: string[] = [];
  const gaps: Gap[] = [];
  const statuses: ConnectionStatus[] = [];
  const subscription = client.subscribe(room, {
    onEvent: ({ data }) => ids.push(data.tradeId),
    onSnapshot: (events) => ids.push(...events.map(({ data }) => data.tradeId)),
    onGap: (gap) => gaps.push(gap),
    onStatus: (status) => statuses.push(status),
    ...(since && { since }),
  });
  return { subscription, ids, gaps, statuses };
}

test('a room is subscribed to, and its events arrive once and in order', async () => {
  const { client, errors } = connect();
  const before = await publishTrades('ONE', 2);
  const { ids, subscription } = read(client, 'trade:ONE');
  await until('the snapshot', () => ids.length === 2);
  const after = await publishTrades('ONE', 3);
  await until('the events', () => ids.length === 5);
  expect(ids).toEqual([...before, ...after]);
  expect(subscription.cursor?.seq).toBe(5);
  expect(subscription.status.state).toBe('open');
  expect(errors).toEqual([]);
});

/** A WebSocket that keeps what it makes. */
function watchSockets() {
  const sockets: WebSocket[] = [];
  class Watched extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  return { sockets, WebSocket: Watched };
}

test.each(['relay', 'room'] as const)(
  'R14: many rooms, by a transport of kind `%s`, go on after cuts and a kill -9: each complete and once',
  async (transport) => {
    const { sockets, WebSocket } = watchSockets();
    const { client, errors } = connect({ transport, WebSocket });
    const names = Array.from({ length: 12 }, (_, index) => `MANY-${transport}-${index}`);
    const reads = names.map((name) => read(client, `trade:${name}`));
    const published = names.map((): string[] => []);
    const publish = async (count: number) => {
      for (const [index, name] of names.entries()) {
        published[index]?.push(...(await publishTrades(name, count)));
      }
    };
    const arrived = () => reads.every(({ ids }, index) => ids.length === published[index]?.length);
    await until('all rooms', () =>
      reads.every(({ statuses }) => statuses.at(-1)?.state === 'open'),
    );
    await publish(2);
    await until('the first', arrived);
    for (const socket of sockets) socket.close();
    await publish(2);
    await until('what was missed', arrived);
    const pid = worker.workerdPid() ?? expect.unreachable();
    process.kill(pid, 'SIGKILL');
    await until('another workerd', () => ![pid, undefined].includes(worker.workerdPid()));
    await publish(1);
    await until('what was missed by the kill', arrived, 20_000);
    expect(reads.map(({ ids }) => ids)).toEqual(published);
    expect(reads.flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(errors).toEqual([]);
    expect(client.status).toBe('open');
    if (transport === 'relay') expect(sockets.length).toBeLessThan(names.length);
  },
  60_000,
);

test('R14: over a relay rooms come and go, one is refused, and a login opens it', async () => {
  let token = '';
  const { sockets, WebSocket } = watchSockets();
  const { client, errors } = connect({ WebSocket, token: () => token });
  const first = read(client, 'trade:LOGIN');
  await until('the connection', () => first.statuses.at(-1)?.state === 'open');
  const forbidden = client.subscribe('user:11');
  await until('the refusal', () => forbidden.status.state === 'stopped');
  expect(forbidden.status.code).toBe('token_missing');
  const exp = Date.now() / 1000 + 60;
  token = await sign({ sub: '11', exp }, DEVELOPMENT_JWT_SECRET, 'HS256');
  const opened = client.subscribe('user:11');
  await until('the private room', () => opened.status.state === 'open');
  // As React does it in its strict mode.
  read(client, 'trade:LOGIN-2').subscription.unsubscribe();
  const second = read(client, 'trade:LOGIN-2');
  await until('the second room', () => second.statuses.at(-1)?.state === 'open');
  first.subscription.unsubscribe();
  await publishTrades('LOGIN', 1);
  const ids = await publishTrades('LOGIN-2', 2);
  await until('the trades', () => second.ids.length === 2);
  expect(second.ids).toEqual(ids);
  expect(first.ids).toEqual([]);
  expect(errors.map((error) => error.split(':')[0])).toEqual(['token_missing']);
  expect(sockets).toHaveLength(1);
});

test('a socket that is lost is come back from: nothing is lost, nothing comes twice', async () => {
  const { sockets, WebSocket } = watchSockets();
  const { client, errors } = connect({ WebSocket });
  const { ids, gaps, statuses } = read(client, 'trade:TWO');
  await until('the connection', () => statuses.at(-1)?.state === 'open');
  const published = await publishTrades('TWO', 2);
  await until('the first', () => ids.length === 2);
  sockets[0]?.close();
  published.push(...(await publishTrades('TWO', 3)));
  await until('the missed', () => ids.length === 5);
  published.push(...(await publishTrades('TWO', 1)));
  await until('the next', () => ids.length === 6);
  expect(ids).toEqual(published);
  expect([gaps, errors]).toEqual([[], []]);
  expect(sockets).toHaveLength(2);
});

test('a subscription goes on from the cursor of an earlier one', async () => {
  const first = connect();
  const one = read(first.client, 'trade:SINCE');
  await publishTrades('SINCE', 2);
  await until('the first', () => one.ids.length === 2);
  const { cursor } = one.subscription;
  first.client.close();
  const missed = await publishTrades('SINCE', 3);
  const two = read(connect().client, 'trade:SINCE', cursor);
  await until('the missed', () => two.ids.length === 3);
  expect(two.ids).toEqual(missed);
  expect(two.gaps).toEqual([]);
});

test('workerd killed with SIGKILL costs a durable room nothing', async () => {
  const { client } = connect();
  const { ids, gaps, statuses } = read(client, 'trade:KILL');
  await until('the connection', () => statuses.at(-1)?.state === 'open');
  const published = await publishTrades('KILL', 2);
  await until('the first', () => ids.length === 2);
  const pid = worker.workerdPid() ?? expect.unreachable();
  process.kill(pid, 'SIGKILL');
  await until('another workerd', () => ![pid, undefined].includes(worker.workerdPid()));
  published.push(...(await publishTrades('KILL', 3)));
  await until('the missed', () => ids.length === 5);
  expect(ids).toEqual(published);
  expect(gaps).toEqual([]);
});

test('a room that refuses is stopped, with the code of its refusal', async () => {
  const token = await sign(
    { sub: '2', exp: Date.now() / 1000 + 60 },
    DEVELOPMENT_JWT_SECRET,
    'HS256',
  );
  const cases = [
    ['user:1', '', 'token_missing'],
    ['user:1', token, 'room_forbidden'],
    ['price:A', `${token}x`, 'token_invalid'],
    ['a b', '', 'room_invalid'],
  ] as const;
  for (const [room, given, code] of cases) {
    const subscription = connect({ token: given }).client.subscribe(room);
    await until(code, () => subscription.status.state === 'stopped');
    expect(subscription.status.code).toBe(code);
  }
});

test('a token is taken from its provider, an expired one replaced', async () => {
  const exp = Math.floor(Date.now() / 1000);
  const tokens = [
    await sign({ sub: '7', exp: exp - 10 }, DEVELOPMENT_JWT_SECRET, 'HS256'),
    await sign({ sub: '7', exp: exp + 60 }, DEVELOPMENT_JWT_SECRET, 'HS256'),
  ];
  const subscription = connect({ token: () => tokens.shift() ?? '' }).client.subscribe('user:7');
  await until('the connection', () => subscription.cursor !== undefined);
  expect(tokens).toEqual([]);
});

test('several readers of a room share its socket, the late one from further back', async () => {
  const { client, errors } = connect();
  const one = read(client, 'trade:SHARE');
  await publishTrades('SHARE', 1);
  await until('the first', () => one.ids.length === 1);
  const first = one.subscription.cursor;
  const more = await publishTrades('SHARE', 2);
  await until('the second', () => one.ids.length === 3);
  const two = read(client, 'trade:SHARE', first);
  await until('what it missed', () => two.ids.length === 2);
  expect(two.ids).toEqual(more);
  expect(one.ids).toHaveLength(3);
  expect(errors).toEqual([]);
});

test('R13: alerts come over each connection, and are given once, with several rooms and a kill -9', async () => {
  const { client, errors } = connect();
  const titles: string[] = [];
  client.on('system_alert', ({ data }) => titles.push(data.title));
  const published = await publishAlerts(2);
  const rooms = ['trade:ALERT1', 'trade:ALERT2', 'price:ALERT3'] as const;
  const subscriptions = rooms.map((room) => client.subscribe(room, { onEvent: () => {} }));
  await until('the alerts of before', () => titles.length === 2);
  published.push(...(await publishAlerts(3)));
  await until('the alerts', () => titles.length === 5);
  const pid = worker.workerdPid() ?? expect.unreachable();
  process.kill(pid, 'SIGKILL');
  await until('another workerd', () => ![pid, undefined].includes(worker.workerdPid()));
  published.push(...(await publishAlerts(2)));
  await until('the missed', () => titles.length === 7);
  await until('all rooms', () => subscriptions.every(({ status }) => status.state === 'open'));
  const late = client.subscribe('system', { onEvent: () => {} });
  await until('the subscription', () => late.cursor !== undefined);
  published.push(...(await publishAlerts(1)));
  await until('the last', () => titles.length >= 8);
  expect(titles).toEqual(published);
  expect(errors).toEqual([]);
});

test('a client that declines `system` is sent nothing of it', async () => {
  const texts: string[] = [];
  const parse = (text: string): unknown => {
    texts.push(text);
    return JSON.parse(text);
  };
  const [deaf, other] = [connect({ system: false, parse }), connect()];
  const heard: string[] = [];
  other.client.on('system_alert', ({ data }) => heard.push(data.title));
  const reads = [deaf, other].map(({ client }) => read(client, 'trade:DEAF'));
  await until('both', () => reads.every(({ statuses }) => statuses.at(-1)?.state === 'open'));
  const [title] = await publishAlerts(1);
  await until('the alert', () => heard.at(-1) === title);
  await publishTrades('DEAF', 1);
  await until('the trade', () => reads.every(({ ids }) => ids.length === 1));
  expect(texts.join()).toContain('"room":"trade:DEAF"');
  expect(texts.join()).not.toContain('"room":"system"');
});
