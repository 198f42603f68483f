/** Names and tokens as real exchanges, wallets and login services make them, through the whole Worker. */
import { describe, expect, it } from 'vitest';
import { connect, tokenFor, upgrade } from './support/connect.ts';
import { errorCodeOf, publish } from './support/publish.ts';

const ADDRESS = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';
let offset = 0;

async function publishTrade(symbol: string, userId: string | null): Promise<void> {
  const data = { tradeId: `t${offset}`, price: '45000.50', amount: 1, side: 'buy' };
  const value = { type: 'trade_notification', symbol, userId, data, timestamp: 1703123456789 };
  const answer = await publish(
    [{ topic: 'trade.notifications', offset: offset++, value }],
    'names',
  );
  expect(answer).toMatchObject({ accepted: 1, rejected: [] });
}

const roomOf = (roomClass: string, id: string) => encodeURIComponent(`${roomClass}:${id}`);
const nowInSeconds = () => Math.floor(Date.now() / 1000);

describe('a trade of a symbol and a user', () => {
  it.each([
    ['BTC/USDC', 'bob@example.com'],
    ['@107', '-1001234567890'],
    ['0x2::sui::SUI', 'email|a+b@c.de'],
    ['币安人生-USDC', 'josé'],
    ['USD₮-USDC', '_9fK-2wQ_x'],
    ['xyz:TSLA', 'u'.repeat(256)],
  ])('%s and %s reaches both rooms, and its ids are as they were published', async (symbol, id) => {
    const tape = await connect(roomOf('trade', symbol));
    const user = await connect(roomOf('user', id), await tokenFor(id));
    expect((await user.received('welcome'))[0]).toMatchObject({ user: id });
    await publishTrade(symbol, id);
    expect((await tape.events(1))[0]?.event).toMatchObject({ symbol });
    expect((await user.events(1))[0]?.event).toMatchObject({ symbol, userId: id });
  });

  it('N3: whose wallet is written in another case is the same user', async () => {
    const lower = ADDRESS.toLowerCase();
    const checksummed = await connect(roomOf('user', ADDRESS), await tokenFor(lower));
    const plain = await connect(roomOf('user', lower), await tokenFor(ADDRESS));
    await publishTrade('WALLET', ADDRESS);
    for (const client of [checksummed, plain]) {
      expect((await client.received('subscribed'))[0]).toMatchObject({ room: `user:${lower}` });
      expect((await client.events(1))[0]?.event.userId).toBe(ADDRESS);
    }
    checksummed.socket.send(
      JSON.stringify({ type: 'subscribe', id: 1, room: `user:${ADDRESS}`, since: null }),
    );
    const [, again] = await checksummed.received('subscribed', 2);
    expect(again).toMatchObject({ id: 1, room: `user:${lower}` });
  });

  it('E6: whose optional fields are null is one without them', async () => {
    const tape = await connect('trade:NULLS');
    await publishTrade('NULLS', null);
    const value = {
      type: 'trade_notification',
      symbol: 'NULLS',
      userId: null,
      data: { tradeId: 'n', price: 1, amount: 1, side: 'sell', txHash: null, fees: null },
      timestamp: 1703123456789,
      metadata: { priority: null, source: 's', version: null },
    };
    await publish([{ topic: 'trade.notifications', offset: offset++, value }], 'names');
    const [first, second] = await tape.events(2);
    expect(first?.event).not.toHaveProperty('userId');
    expect(second?.event).toEqual({
      type: 'trade_notification',
      symbol: 'NULLS',
      data: value.data,
      timestamp: 1703123456789,
      metadata: { source: 's' },
    });
    const notification = {
      type: 'swap_completed',
      target: { type: 'user', id: 'nulls' },
      category: null,
      data: {},
      timestamp: null,
      metadata: null,
    };
    const user = await connect('user:nulls', await tokenFor('nulls'));
    await publish([{ topic: 'notifications', offset: offset++, value: notification }], 'names');
    const [got] = await user.events(1);
    expect(Object.keys(got?.event ?? {})).toEqual(['type', 'data', 'timestamp']);
  });

  it('an alert that never expires may say so by a null', async () => {
    const client = await connect('system');
    const data = { level: 'info', title: 't', message: 'null expiry', expiresAt: null };
    const value = { type: 'system_alert', userId: null, data, timestamp: 1703123456789 };
    await publish([{ topic: 'system.alerts', offset: offset++, value }], 'names');
    expect((await client.events(1)).at(-1)?.event.data).toEqual(data);
  });
});

describe('R2: a token', () => {
  it.each([
    ['a list with a name that no custom room has', ['good', 'kline:BTC']],
    ['a list of more than a hundred', Array.from({ length: 101 }, (_, n) => `room-${n}`)],
    ['a list of anything', ['good', 1, null, {}]],
    ['a text', 'good'],
    ['an object', { good: true }],
  ])('whose rooms are %s opens public rooms, and is told what is ignored', async (_, rooms) => {
    const client = await connect('price:GRANTS', await tokenFor('1', { rooms }));
    expect((await client.received('welcome'))[0]).toMatchObject({ notices: ['grants_ignored'] });
  });

  it.each([[['good', 'kline:BTC']], [['good', 'x y', 7]]])(
    'keeps what is good of its rooms: %j',
    async (rooms) => {
      const client = await connect('good', await tokenFor('1', { rooms }));
      expect((await client.received('subscribed'))[0]).toMatchObject({ room: 'good' });
    },
  );

  it('whose rooms and nbf are null is one without them', async () => {
    const client = await connect('user:1', await tokenFor('1', { rooms: null, nbf: null }));
    expect((await client.received('welcome'))[0]).not.toHaveProperty('notices');
  });

  it('of a clock that is a little ahead or behind holds', async () => {
    const now = nowInSeconds();
    const ahead = await tokenFor('1', { nbf: now + 5, iat: now + 500 });
    expect(await connect('user:1', ahead)).toBeDefined();
    expect(await connect('user:1', await tokenFor('1', { exp: now - 5 }))).toBeDefined();
  });

  it('that holds later is refused for now, and says when to ask again', async () => {
    const headers = {
      Authorization: `Bearer ${await tokenFor('1', { nbf: nowInSeconds() + 60 })}`,
    };
    const response = await upgrade('user:1', headers);
    expect(response.status).toBe(425);
    expect(response.headers.get('retry-after')).not.toBeNull();
    expect(await errorCodeOf(response)).toBe('token_not_yet');
  });

  it.each([['Basic dXNlcjpwYXNz'], ['Negotiate abc'], ['Digest username="x"']])(
    'as a subprotocol counts beside %s',
    async (authorization) => {
      const protocols = `gateway.v1, bearer.${await tokenFor('scheme')}`;
      const headers = { Authorization: authorization, 'Sec-WebSocket-Protocol': protocols };
      expect((await upgrade('user:scheme', headers)).status).toBe(101);
    },
  );

  it('of an unknown scheme leaves its sender anonymous', async () => {
    expect((await upgrade('price:BASIC', { Authorization: 'Basic dXNlcjpwYXNz' })).status).toBe(
      101,
    );
    const refused = await upgrade('user:1', { Authorization: 'Basic dXNlcjpwYXNz' });
    expect(await errorCodeOf(refused)).toBe('token_missing');
  });
});

describe('a message', () => {
  it.each([['text'], [7], [-1.5], [0], ['']])('with the id %j is answered with it', async (id) => {
    const client = await connect('price:IDS');
    client.socket.send(JSON.stringify({ type: 'subscribe', id, room: 'price:IDS', maxRate: null }));
    const [, answer] = await client.received('subscribed', 2);
    expect(answer?.id).toBe(id);
    client.socket.send(JSON.stringify({ type: 'unsubscribe', id, room: 'price:OTHER' }));
    expect((await client.received('error'))[0]).toMatchObject({ id, code: 'room_elsewhere' });
  });

  it('with the id null is answered without one', async () => {
    const client = await connect('price:NULL-ID');
    client.socket.send(JSON.stringify({ type: 'unsubscribe', id: null, room: 'price:NULL-ID' }));
    expect((await client.received('unsubscribed'))[0]).not.toHaveProperty('id');
  });
});
