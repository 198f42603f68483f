/** One socket for many rooms, in workerd. */

import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type Client, connectRelay, eventsOf, type Frame, tokenFor } from './support/connect.ts';
import { publishWithoutKafka } from './support/publish.ts';

const say = ({ socket }: Client, message: object) => socket.send(JSON.stringify(message));
const of = ({ frames }: Client, room: string): Frame[] =>
  frames.filter((frame) => frame.room === room);
const seqsOf = (client: Client, room: string): number[] =>
  of(client, room)
    .filter(({ type }) => type === 'events')
    .flatMap((frame) => eventsOf(frame).map(({ seq }) => seq));

const price = (symbol: string, value: number) =>
  publishWithoutKafka('price.updates', [
    { type: 'price_update', symbol, data: { price: value }, timestamp: 1 },
  ]);

describe('GET /v1/ws (R14)', () => {
  it('holds a socket that reads rooms as it likes', async () => {
    const client = await connectRelay();
    const rooms = ['price:RELAY-A', 'price:RELAY-B'].map((room) => ({ room }));
    say(client, { type: 'subscribe', id: 1, rooms });
    await client.received('snapshot', 2);
    await price('RELAY-A', 1);
    await price('RELAY-B', 2);
    await price('RELAY-A', 3);
    await client.events(3);
    expect([seqsOf(client, 'price:RELAY-A'), seqsOf(client, 'price:RELAY-B')]).toEqual([
      [1, 2],
      [1],
    ]);
    say(client, { type: 'unsubscribe', id: 2, rooms: ['price:RELAY-A'] });
    await client.received('unsubscribed');
    await price('RELAY-A', 4);
    await price('RELAY-B', 5);
    await client.events(4);
    expect(seqsOf(client, 'price:RELAY-A')).toEqual([1, 2]);
    for (const text of client.texts) expect(text).toMatch(/^\[.*\]$/s);
  });

  it('opens private rooms by the token, which may come over the open socket', async () => {
    const client = await connectRelay();
    say(client, { type: 'subscribe', id: 1, room: 'user:relayed' });
    expect((await client.received('error'))[0]).toMatchObject({
      id: 1,
      room: 'user:relayed',
      code: 'token_missing',
    });
    say(client, { type: 'auth', id: 2, token: await tokenFor('relayed') });
    expect((await client.received('welcome', 2))[1]).toMatchObject({ user: 'relayed' });
    say(client, { type: 'subscribe', id: 3, room: 'user:relayed' });
    await client.received('snapshot');
    const note = { type: 'order_filled', target: { type: 'user', id: 'relayed' }, data: {} };
    await publishWithoutKafka('notifications', [{ ...note, timestamp: 1 }]);
    await client.events(1);
    expect(seqsOf(client, 'user:relayed')).toEqual([1]);
  });

  it('brings a client back to where it was, and to no place that the gateway has not named', async () => {
    const client = await connectRelay();
    const [welcome] = await client.received('welcome');
    const home = String(welcome?.home);
    expect(home).toMatch(/^\/v1\/ws\?home=home\.0\.\d+\.[\w-]{22}$/);
    const back = await connectRelay(`${home}&system=off`);
    expect((await back.received('welcome'))[0]?.home).toBe(home);
    const forged = await connectRelay(`${home.replace('home.0', 'home.7')}&system=off`);
    expect((await forged.received('welcome'))[0]?.home).toBe(home);
  });

  it('finds another relay when one is full', async () => {
    const clients = [];
    // A relay holds five sockets here.
    for (let i = 0; i < 12; i++) clients.push(await connectRelay());
    const homes = await Promise.all(clients.map(async (client) => client.received('welcome')));
    const numbers = homes.map(([welcome]) => /home\.(\d+)\./.exec(String(welcome?.home))?.[1]);
    expect(new Set(numbers).size).toBeGreaterThan(2);
  });

  it.each([
    ['?system=x', 400, 'cursor_invalid'],
    ['', 426, 'upgrade_required'],
  ])('refuses %s with %i %s', async (query, status, code) => {
    const headers = code === 'upgrade_required' ? {} : { Upgrade: 'websocket' };
    const response = await exports.default.fetch(`https://gateway.test/v1/ws${query}`, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});
