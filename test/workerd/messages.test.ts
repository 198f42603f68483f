import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type Client, connect, eventsOf, tokenFor, upgrade } from './support/connect.ts';
import { publish } from './support/publish.ts';

let offset = 0;
/** Prices of `symbol`, each in a batch of its own. */
async function price(symbol: string, ...prices: number[]): Promise<void> {
  for (const value of prices) {
    const event = { type: 'price_update', symbol, data: { price: value }, timestamp: 1 };
    await publish([{ topic: 'price.updates', offset: offset++, value: event }], 'messages');
  }
}

function say(client: Client, message: object): void {
  client.socket.send(JSON.stringify(message));
}

describe('a message', () => {
  it('subscribe subscribes anew, from a cursor or with the snapshot', async () => {
    const client = await connect('price:AGAIN');
    await price('AGAIN', 1, 2, 3);
    await client.events(3);
    const [first] = await client.received('subscribed');
    say(client, {
      type: 'subscribe',
      id: 'a',
      room: 'price:AGAIN',
      since: { epoch: first?.epoch, seq: 1 },
    });
    const [, again] = await client.received('subscribed', 2);
    expect(again).toMatchObject({ id: 'a', room: 'price:AGAIN', seq: 3, recovered: true });
    expect((await client.events(5)).slice(3).map(({ seq }) => seq)).toEqual([2, 3]);
    say(client, { type: 'subscribe', id: 'b', room: 'price:AGAIN' });
    const [, , fresh] = await client.received('subscribed', 3);
    expect(fresh).toMatchObject({ id: 'b', recovered: false });
    const [, snapshot] = await client.received('snapshot', 2);
    expect(eventsOf(snapshot)).toMatchObject([{ seq: 3 }]);
  });

  it('unsubscribe ends the events, and the socket stays (subscribe goes on)', async () => {
    const [client, witness] = [await connect('price:OFF'), await connect('price:OFF')];
    say(client, { type: 'unsubscribe', id: 'u', room: 'price:OFF' });
    expect(await client.received('unsubscribed')).toEqual([
      { type: 'unsubscribed', id: 'u', room: 'price:OFF' },
    ]);
    await price('OFF', 1);
    await witness.events(1);
    expect(client.frames.filter(({ type }) => type === 'events')).toEqual([]);
    const [{ epoch } = { epoch: 0 }] = await client.received('subscribed');
    say(client, { type: 'subscribe', room: 'price:OFF', since: { epoch, seq: 0 } });
    expect(await client.events(1)).toMatchObject([{ seq: 1 }]);
  });

  it('with a maxRate, or the address with it, shows the latest event per key (R10)', async () => {
    const [rated, all] = [await connect('price:RATE?maxRate=2'), await connect('price:RATE')];
    await price('RATE', ...Array.from({ length: 30 }, (_, n) => n + 1));
    expect(await all.events(30)).toHaveLength(30);
    await expect
      .poll(() =>
        rated.frames
          .filter(({ type }) => type === 'events')
          .flatMap(eventsOf)
          .at(-1),
      )
      .toMatchObject({ seq: 30 });
    const frames = await rated.received('events');
    expect(frames.length).toBeLessThan(10);
    let cursor = 0;
    for (const frame of frames) {
      expect(frame.after).toBe(cursor);
      expect(eventsOf(frame)).toHaveLength(1);
      cursor = eventsOf(frame)[0]?.seq ?? 0;
    }
  });

  it('about another room is refused (R11)', async () => {
    const client = await connect('price:HERE2');
    say(client, { type: 'subscribe', id: 'x', room: 'price:THERE2' });
    expect(await client.received('error')).toMatchObject([
      { id: 'x', room: 'price:THERE2', code: 'room_elsewhere' },
    ]);
  });

  it('ack of what was never sent, or of the past, harms nobody', async () => {
    const client = await connect('price:ACK');
    for (const seq of [99, 0, 0]) say(client, { type: 'ack', room: 'price:ACK', seq });
    await price('ACK', 1);
    expect(await client.events(1)).toHaveLength(1);
    expect(client.frames.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('auth takes a new token of the same user, and no other (R2)', async () => {
    const exp = Math.floor(Date.now() / 1000) + 7_200;
    const client = await connect('user:renews', await tokenFor('renews'));
    say(client, { type: 'auth', id: '1', token: await tokenFor('renews', { exp }) });
    const [, welcome] = await client.received('welcome', 2);
    expect(welcome).toMatchObject({ user: 'renews', expiresAt: exp * 1000 });
    say(client, { type: 'auth', id: '2', token: await tokenFor('another') });
    say(client, { type: 'auth', id: '3', token: 'nonsense' });
    say(client, { type: 'auth', id: '4', token: await tokenFor('renews', { exp: 1 }) });
    const errors = await client.received('error', 3);
    expect(errors.map(({ id, code }) => [id, code])).toEqual([
      ['2', 'room_forbidden'],
      ['3', 'token_invalid'],
      ['4', 'token_expired'],
    ]);
  });

  it.each([
    '{"type":"ack"}',
    '{"type":"subscribe","room":"price:ODD","maxRate":3}',
    '{"type":"subscribe","room":"price:ODD","since":{"epoch":-1,"seq":0}}',
    '[]',
    'null',
  ])('%s is refused as invalid', async (text) => {
    const client = await connect('price:ODD');
    client.socket.send(text);
    expect(await client.received('error')).toMatchObject([{ code: 'message_invalid' }]);
    client.socket.close();
  });
});

it('a flood of messages closes its socket, and no other (R11)', async () => {
  const [loud, quiet] = [await connect('price:FLOOD'), await connect('price:FLOOD')];
  for (let i = 0; i < 300; i++) say(loud, { type: 'subscribe', room: 'price:ELSEWHERE' });
  expect(await loud.closed).toMatchObject({ code: 4429, reason: 'too_many_messages' });
  await price('FLOOD', 1);
  expect(await quiet.events(1)).toHaveLength(1);
});

it('an invalid message is refused with its id (R11)', async () => {
  const client = await connect('price:IDS');
  say(client, { type: 'subscribe', id: 'mine', room: 'price:IDS', maxRate: 7 });
  expect(await client.received('error')).toMatchObject([{ id: 'mine', code: 'message_invalid' }]);
});

it('a page of any origin may ask why it was refused (R1)', async () => {
  const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET' };
  const preflight = await exports.default.fetch('https://gateway.test/v1/rooms/user:u', {
    method: 'OPTIONS',
    headers: { ...headers, 'Access-Control-Request-Headers': 'authorization' },
  });
  expect(preflight.headers.get('Access-Control-Allow-Headers')).toContain('authorization');
  const refused = await exports.default.fetch('https://gateway.test/v1/rooms/user:u', { headers });
  expect(refused.status).toBe(401);
  expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*');
});

it('a rate that does not exist is refused (R1)', async () => {
  const response = await upgrade('price:RATE?maxRate=3');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'rate_invalid' } });
});
