import { runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { connect, tokenFor, upgrade } from './support/connect.ts';
import { errorCodeOf, publishWithoutKafka } from './support/publish.ts';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function refusal(response: Response): Promise<[number, string]> {
  return [response.status, await errorCodeOf(response)];
}

describe('who may join', () => {
  it('R1: anyone joins public rooms', async () => {
    for (const room of ['price:JOIN', 'price_updates', 'orderbook:JOIN', 'trade:JOIN', 'system']) {
      expect((await upgrade(room)).status).toBe(101);
    }
  });

  it('an anonymous socket is refused a private room with 401', async () => {
    expect(await refusal(await upgrade('user:1'))).toEqual([401, 'token_missing']);
    expect(await refusal(await upgrade('trading-room-general'))).toEqual([401, 'token_missing']);
  });

  it('another user is refused with 403', async () => {
    const headers = bearer(await tokenFor('2'));
    expect(await refusal(await upgrade('user:1', headers))).toEqual([403, 'room_forbidden']);
    expect(await refusal(await upgrade('trading-room-general', headers))).toEqual([
      403,
      'room_forbidden',
    ]);
  });

  it('a refusal says what is wrong with the token', async () => {
    const messageOf = async (response: Promise<Response>) => {
      const { error } = await (await response).json<{ error: { message: string } }>();
      return error.message;
    };
    const told = [
      await messageOf(upgrade('user:1')),
      await messageOf(upgrade('user:1', bearer(await tokenFor('2')))),
      await messageOf(upgrade('user:1', bearer(await tokenFor('1', { exp: 1 })))),
      await messageOf(upgrade('user:1', bearer('x.y.z'))),
    ];
    expect(told).toEqual([
      'this room needs a token, and there was none',
      'the token does not open this room',
      'the token has ended',
      'the token is not signed with JWT_SECRET by HS256, or its sub or exp cannot be used',
    ]);
  });

  it('the user joins, and is told who it is and until when', async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const client = await connect('user:1', await tokenFor('1', { exp }));
    const [welcome] = await client.received('welcome');
    expect(welcome).toMatchObject({ protocol: 1, user: '1', expiresAt: exp * 1000 });
  });

  it('a custom room is joined by the grant in the token', async () => {
    const token = await tokenFor('1', { rooms: ['trading-room-general'] });
    expect((await upgrade('trading-room-general', bearer(token))).status).toBe(101);
    expect(await refusal(await upgrade('trading-room-vip', bearer(token)))).toEqual([
      403,
      'room_forbidden',
    ]);
  });

  it.each([
    ['is no token', async () => 'x.y.z', 'token_invalid'],
    ['is empty', async () => '', 'token_invalid'],
    ['was changed', async () => `${await tokenFor('1')}x`, 'token_invalid'],
    ['has expired', async () => tokenFor('1', { exp: 1 }), 'token_expired'],
    ['never ends', async () => tokenFor('1', { exp: 1e308 }), 'token_invalid'],
    ['names no possible user', async () => tokenFor('a b'), 'token_invalid'],
    [
      'is unsigned',
      async () => {
        const [, payload] = (await tokenFor('1')).split('.');
        return `${btoa('{"alg":"none","typ":"JWT"}').replace(/=/g, '')}.${payload}.`;
      },
      'token_invalid',
    ],
  ])('a token that %s is refused everywhere', async (_, token, code) => {
    const headers = bearer(await token());
    expect(await refusal(await upgrade('user:1', headers))).toEqual([401, code]);
    expect(await refusal(await upgrade('price:JOIN', headers))).toEqual([401, code]);
  });

  it('R2: a browser brings its token as a subprotocol, which is not echoed', async () => {
    const token = await tokenFor('1');
    const protocols = `gateway.v1, bearer.${token}`;
    const response = await upgrade('user:1', { 'Sec-WebSocket-Protocol': protocols });
    expect(response.status).toBe(101);
    expect(response.headers.get('sec-websocket-protocol')).toBe('gateway.v1');
  });

  it('a token in the address is not accepted', async () => {
    const response = await upgrade(`user:1?token=${await tokenFor('1')}`);
    expect(await refusal(response)).toEqual([401, 'token_missing']);
  });
});

describe('an address', () => {
  it.each([
    'price:',
    'price:A B',
    'user:',
    'nosuch:x',
    'price',
    'a b',
    'x'.repeat(257),
    'BTC weur.3',
  ])('%j names no room', async (name) => {
    const response = await upgrade(encodeURIComponent(name));
    expect(await refusal(response)).toEqual([400, 'room_invalid']);
  });

  it.each([
    ['bytes that are no UTF-8', 'price:%FF', 400, 'room_invalid'],
    ['half a percent sign', 'price:%E0%A4%A', 400, 'room_invalid'],
    ['a percent sign alone', 'price:%', 400, 'room_invalid'],
    ['what was encoded twice', 'price:BTC%252FUSDC', 400, 'room_invalid'],
    ['a null', 'price:%00', 400, 'room_invalid'],
    ['a line break', 'price:A%0D%0Ax-y:1', 400, 'room_invalid'],
    ['a way up that is encoded', '%2e%2e', 404, 'not_found'],
    ['a slash that is not encoded', 'price:BTC/USDC', 404, 'not_found'],
    ['256 characters of four bytes', `price:${'%F0%9F%90%B8'.repeat(129)}`, 400, 'room_invalid'],
    ['far too long', `price:${'x'.repeat(8_000)}`, 400, 'room_invalid'],
  ])('of %s is refused by name', async (_, path, status, code) => {
    expect(await refusal(await upgrade(path))).toEqual([status, code]);
  });

  it.each([
    ['a slash', 'price:BTC%2FUSDC', 'price:BTC/USDC'],
    ['two dots', 'price:..', 'price:..'],
    ['a plus', 'price:A+B', 'price:A+B'],
    ['an accent as a mark', 'price:e%CC%81', 'price:\u00e9'],
    [
      'letters from right to left',
      `price:${encodeURIComponent('\u05d0\u05d1')}`,
      'price:\u05d0\u05d1',
    ],
    ['128 pictures', `price:${'%F0%9F%90%B8'.repeat(128)}`, `price:${'🐸'.repeat(128)}`],
    ['256 Chinese letters', `price:${'%E5%B8%81'.repeat(256)}`, `price:${'币'.repeat(256)}`],
  ])('of %s opens the room', async (_, path, room) => {
    const client = await connect(path);
    expect((await client.received('subscribed'))[0]).toMatchObject({ room });
    client.socket.close();
  });

  it('without an upgrade is answered 426', async () => {
    const response = await exports.default.fetch('https://gateway.test/v1/rooms/price:JOIN');
    expect(await refusal(response)).toEqual([426, 'upgrade_required']);
  });

  it('with an invalid cursor is answered 400', async () => {
    expect(await refusal(await upgrade('price:JOIN?since=7'))).toEqual([400, 'cursor_invalid']);
  });

  it.each(['', 'on', '7', 'OFF', '1:2:3'])('with system=%s is answered 400', async (system) => {
    const response = upgrade('price:JOIN', {}, system);
    expect(await refusal(await response)).toEqual([400, 'cursor_invalid']);
  });

  it.each(['off', '1703123456789:42', null])('with system=%s is admitted', async (system) => {
    expect((await upgrade('price:JOIN', {}, system)).status).toBe(101);
  });

  it('with an unknown path is answered 404', async () => {
    const response = await exports.default.fetch('https://gateway.test/nothing');
    expect(await refusal(response)).toEqual([404, 'not_found']);
  });
});

describe('what a client sends', () => {
  it('ping is answered pong', async () => {
    const client = await connect('price:PING');
    client.socket.send('ping');
    await expect.poll(() => client.texts).toContain('pong');
  });

  it('anything else is refused, and too much of it closes the socket', async () => {
    const client = await connect('price:NOISE');
    client.socket.send('{"type":"publish"}');
    const [error] = await client.received('error');
    expect(error).toMatchObject({ code: 'message_invalid' });
    for (let i = 0; i < 8; i++) client.socket.send('noise');
    expect(await client.closed).toMatchObject({ code: 4400, reason: 'message_invalid' });
    const loud = await connect('price:NOISE');
    loud.socket.send('x'.repeat(9_000));
    expect(await loud.closed).toMatchObject({ code: 4400 });
  });
});

describe('a room', () => {
  it('R2: lets a member of a private room go when its token has ended, before it sends more', async () => {
    const exp = Math.floor(Date.now() / 1000) + 2;
    const [short, long] = [
      await connect('user:ends', await tokenFor('ends', { exp })),
      await connect('user:ends', await tokenFor('ends')),
    ];
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(exp * 1000);
    const value = {
      type: 'portfolio_update',
      userId: 'ends',
      data: { totalValue: 1 },
      timestamp: 1,
    };
    await publishWithoutKafka('portfolio.updates', [value]);
    expect(await short.closed).toMatchObject({ code: 4401, reason: 'token_expired' });
    await long.events(1);
    expect(short.frames.map(({ type }) => type)).not.toContain('events');
  });

  it('holds as many sockets as it may', async () => {
    // The test's configuration says 5.
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await connect('price:FULL'));
    const refused = await upgrade('price:FULL');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refusal(refused)).toEqual([503, 'room_full']);
    clients[0]?.socket.close(1000);
    await clients[0]?.closed;
    await connect('price:FULL');
  });

  it('does not take a socket that it has closed for a member again after a sleep', async () => {
    const stub = env.ROOM.getByName('price:CLOSED');
    const client = await connect('price:CLOSED');
    for (let i = 0; i < 9; i++) client.socket.send('noise');
    await client.closed;
    await runInDurableObject(stub, (_, state) => {
      for (const socket of state.getWebSockets()) expect(socket.deserializeAttachment()).toBeNull();
    });
  });
});

describe('a client that leaves', () => {
  it('is answered at once', async () => {
    const client = await connect('price:LEAVE');
    client.socket.close(4000, 'done');
    expect(await client.closed).toMatchObject({ code: 4000, reason: 'done', wasClean: true });
  }, 2_000);
});

describe('health', () => {
  it('is ok when the Worker is configured', async () => {
    const response = await exports.default.fetch('https://gateway.test/health');
    expect(await response.json()).toEqual({ status: 'ok', protocol: 1 });
  });
});
