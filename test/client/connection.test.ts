/** The life of a connection, against a gateway that is played by hand. */
import { describe, expect, it } from 'vitest';
import type { ConnectionStatus, GatewayClient, GatewayError } from '../../worker/client/index.ts';
import { settle } from '../support/virtual-clock.ts';
import { events, FakeGateway, subscribed, WELCOME } from './support/fake-gateway.ts';

const ROOM = 'price:A';

function watched(gateway: FakeGateway, client: GatewayClient = gateway.client()) {
  const statuses: ConnectionStatus[] = [];
  const errors: string[] = [];
  const seqs: number[] = [];
  client.on('status', (status) => statuses.push(status));
  client.on('error', ({ code }) => errors.push(code));
  const subscription = client.subscribe(ROOM, { onEvent: (_, { seq }) => seqs.push(seq) });
  return {
    client,
    subscription,
    statuses,
    errors,
    seqs,
    states: () => statuses.map(({ state }) => state),
  };
}

async function joined(gateway: FakeGateway, client?: GatewayClient) {
  const made = watched(gateway, client);
  const socket = await gateway.socket();
  socket.join(ROOM, 10);
  return { ...made, socket };
}

describe('connecting', () => {
  it('goes to the room by its name, with the token beside the address', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client({ url: 'https://gateway.test/base/', token: 'a.b.c' });
    client.subscribe('user:a|b', { since: { epoch: 3, seq: 7 }, maxRate: 5 });
    const socket = await gateway.socket();
    expect(socket.url.href).toBe(
      'wss://gateway.test/base/v1/rooms/user%3Aa%7Cb?since=3%3A7&maxRate=5',
    );
    expect(socket.protocols).toEqual(['gateway.v1', 'bearer.a.b.c']);
  });

  it('without a token offers none', async () => {
    const gateway = new FakeGateway();
    gateway.client().subscribe(ROOM);
    expect((await gateway.socket()).protocols).toEqual(['gateway.v1']);
  });

  it('a slow handshake is given up, and tried again', async () => {
    const gateway = new FakeGateway();
    const { states, statuses } = watched(gateway);
    const socket = await gateway.socket();
    await gateway.clock.elapse(15_000);
    expect(socket.isClosed).toBe(true);
    expect(statuses.at(-1)).toMatchObject({
      state: 'waiting',
      reason: 'no welcome in time',
      retryInMs: 500,
    });
    await gateway.clock.elapse(500);
    expect(gateway.sockets).toHaveLength(2);
    expect(states()).toEqual(['authorizing', 'connecting', 'waiting', 'authorizing', 'connecting']);
  });

  it('a socket that opens and says nothing is given up too', async () => {
    const gateway = new FakeGateway();
    const { subscription } = watched(gateway);
    (await gateway.socket()).open();
    await gateway.clock.elapse(15_000);
    expect(subscription.status.state).toBe('waiting');
  });

  it('an address that no WebSocket takes stops', async () => {
    const gateway = new FakeGateway();
    gateway.onSocket = () => {
      throw new SyntaxError('bad subprotocol');
    };
    const { subscription } = watched(gateway, gateway.client({ token: 'not a token' }));
    await settle();
    expect(subscription.status).toMatchObject({ state: 'stopped', code: 'address_invalid' });
  });

  it('a room whose name makes no address stops', async () => {
    const gateway = new FakeGateway();
    const subscription = gateway.client().subscribe('\ud800', { onEvent: () => {} });
    await settle();
    expect(subscription.status).toMatchObject({ state: 'stopped', code: 'address_invalid' });
    expect(gateway.clock.pending).toBe(0);
  });

  it('a welcome that no `subscribed` follows is given up', async () => {
    const gateway = new FakeGateway();
    gateway.random = 1;
    const { statuses, subscription } = watched(gateway);
    const socket = await gateway.socket();
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    socket.open();
    socket.say(WELCOME);
    // When very many join a large room at once, the last is answered after minutes.
    await gateway.clock.elapse(299_999);
    expect(subscription.status.state).toBe('open');
    await gateway.clock.elapse(1);
    expect(statuses.at(-1)).toMatchObject({
      state: 'waiting',
      reason: 'no answer to subscribe',
      failures: 1,
    });
    await gateway.clock.elapse(1_000);
    const next = await gateway.socket();
    next.open();
    next.say(WELCOME);
    next.onSent = (text) => text === 'ping' && next.say('pong');
    await gateway.clock.elapse(300_000);
    expect(statuses.at(-1)).toMatchObject({ state: 'waiting', reason: 'no answer to subscribe' });
  });

  it('waits longer each time, up to half a minute and with full jitter', async () => {
    const gateway = new FakeGateway();
    gateway.random = 1;
    const { statuses } = watched(gateway);
    for (let attempt = 1; attempt <= 8; attempt++) {
      (await gateway.socket()).breakOff();
      await settle();
      await gateway.clock.elapse(statuses.at(-1)?.retryInMs ?? 0);
    }
    const waits = statuses.flatMap(({ retryInMs }) => retryInMs ?? []);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('a gateway that accepts and drops is not asked faster and faster', async () => {
    const gateway = new FakeGateway();
    gateway.random = 1;
    const { statuses } = watched(gateway);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const socket = await gateway.socket();
      socket.join(ROOM, 1);
      socket.breakOff();
      await gateway.clock.elapse(statuses.at(-1)?.retryInMs ?? 0);
    }
    expect(statuses.at(-4)?.retryInMs ?? statuses.findLast((s) => s.retryInMs)?.retryInMs).toBe(
      4_000,
    );
    (await gateway.socket()).join(ROOM, 1);
    await gateway.clock.elapse(10_000);
    (await gateway.socket()).breakOff();
    expect(statuses.at(-1)?.retryInMs).toBe(1_000);
  });
});

describe('what ends a socket', () => {
  it.each([
    [1006, ''],
    [1012, 'service restart'],
    [1001, ''],
    [4408, 'peer_silent'],
    [4413, 'slow_consumer'],
    [4999, 'what is this'],
  ])('%i is come back from, with the cursor', async (code, reason) => {
    const gateway = new FakeGateway();
    const { socket, subscription, seqs } = await joined(gateway);
    socket.say(events(ROOM, 10, [11, 12]));
    socket.breakOff(code, reason);
    expect(subscription.status.reason).toBe(`closed (${code}${reason && `, ${reason}`})`);
    await gateway.clock.elapse(500);
    const next = await gateway.socket();
    expect(next.url.searchParams.get('since')).toBe('1:12');
    next.open();
    next.say(WELCOME, subscribed(ROOM, 13, true), events(ROOM, 12, [13]));
    expect(seqs).toEqual([11, 12, 13]);
  });

  it('4400 stops: the client is at fault', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    socket.breakOff(4400, 'message_invalid');
    expect(subscription.status).toMatchObject({
      state: 'stopped',
      code: 'message_invalid',
      reason: 'closed (4400, message_invalid)',
    });
    await gateway.clock.elapse(600_000);
    expect(gateway.sockets).toHaveLength(1);
    expect(gateway.clock.pending).toBe(0);
  });

  it('4401 asks for another token, and stops when the provider has no other', async () => {
    const gateway = new FakeGateway();
    let tokens = 0;
    const { socket } = await joined(gateway, gateway.client({ token: () => `token-${++tokens}` }));
    socket.breakOff(4401, 'token_expired');
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token-2');

    const other = new FakeGateway();
    const fixed = await joined(other, other.client({ token: 'only' }));
    fixed.socket.breakOff(4401, 'token_expired');
    expect(fixed.subscription.status).toMatchObject({ state: 'stopped', code: 'token_expired' });
  });

  it('a shutdown is announced: the client stays as long as it may, and away as long as it should', async () => {
    const gateway = new FakeGateway();
    const { socket, seqs, statuses } = await joined(gateway);
    socket.say({ type: 'shutdown', retryAfter: 4_000 }, events(ROOM, 10, [11]));
    expect(seqs).toEqual([11]);
    socket.breakOff(1012);
    expect(statuses.at(-1)?.retryInMs).toBe(4_500);
    gateway.window.show(true);
    await gateway.clock.elapse(4_499);
    expect(gateway.sockets).toHaveLength(1);
    await gateway.clock.elapse(1);
    expect(gateway.sockets).toHaveLength(2);
  });

  it('a home is come back to once, and forgotten when it does not answer', async () => {
    const gateway = new FakeGateway();
    watched(gateway);
    const socket = await gateway.socket();
    socket.open();
    const home = '/v1/rooms/price%3AA/branches/weur.3?x=1';
    socket.say({ ...WELCOME, home }, subscribed(ROOM, 5, false));
    socket.breakOff();
    await gateway.clock.elapse(500);
    const atHome = await gateway.socket();
    expect(atHome.url.pathname + atHome.url.search).toBe(home);
    atHome.breakOff();
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).url.pathname).toBe('/v1/rooms/price%3AA');
  });

  it('a home is below the address that the client was given, with what that names', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client({ url: 'wss://gateway.test/base/?key=k&trace=on' });
    const { socket } = await joined(gateway, client);
    socket.say({ ...WELCOME, home: '/v1/ws?home=weur.3.20783.AbC&trace=on' });
    socket.breakOff();
    await gateway.clock.elapse(500);
    const { pathname, searchParams } = (await gateway.socket()).url;
    expect(pathname).toBe('/base/v1/ws');
    expect([...searchParams].filter(([name]) => name !== 'since')).toEqual([
      ['home', 'weur.3.20783.AbC'],
      ['trace', 'on'],
      ['key', 'k'],
    ]);
  });

  it('a home that refuses is no sign that something on the way removes the token', async () => {
    const gateway = new FakeGateway();
    gateway.answer = { status: 426, code: 'upgrade_required' };
    const { socket, errors } = await joined(gateway, gateway.client({ token: 't' }));
    socket.say({ ...WELCOME, home: '/v1/ws?home=weur.3.20783.AbC' });
    socket.breakOff();
    await gateway.clock.elapse(500);
    (await gateway.socket()).breakOff();
    await settle();
    expect(gateway.asked).toHaveLength(1);
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).protocols).toEqual(['gateway.v1', 'bearer.t']);
    expect(errors).toEqual([]);
  });

  it.each(['https://evil.test/v1', '//evil.test/v1'])(
    'a home elsewhere, %s, gets no token',
    async (home) => {
      const gateway = new FakeGateway();
      const { socket } = await joined(gateway, gateway.client({ token: 't' }));
      socket.say({ ...WELCOME, home });
      socket.breakOff();
      await gateway.clock.elapse(500);
      expect((await gateway.socket()).url.host).toBe('gateway.test');
    },
  );
});

describe('a refused upgrade', () => {
  async function refused(answer: FakeGateway['answer'], token?: string | (() => string)) {
    const gateway = new FakeGateway();
    gateway.answer = answer;
    const made = watched(gateway, gateway.client(token === undefined ? {} : { token }));
    (await gateway.socket()).breakOff();
    await settle();
    return { gateway, ...made };
  }

  it('is asked about by a plain request to the same place', async () => {
    const { gateway, subscription } = await refused({ status: 403, code: 'room_forbidden' }, 't');
    expect(gateway.asked).toEqual([
      { url: 'https://gateway.test/v1/rooms/price%3AA', headers: { authorization: 'Bearer t' } },
    ]);
    expect(subscription.status).toMatchObject({
      state: 'stopped',
      code: 'room_forbidden',
      reason: 'refused (room_forbidden: says the gateway)',
    });
  });

  it.each([
    { status: 400, code: 'room_invalid' },
    { status: 401, code: 'token_missing' },
    { status: 404, code: 'not_found' },
  ])('stops at $code', async (answer) => {
    const { subscription } = await refused(answer);
    expect(subscription.status).toMatchObject({ state: 'stopped', code: answer.code });
  });

  it.each([
    { status: 426, code: 'upgrade_required' },
    { status: 503, code: 'room_full' },
    { status: 429, code: 'too_many' },
    undefined,
  ])('goes on at %j', async (answer) => {
    const { subscription } = await refused(answer);
    expect(subscription.status.state).toBe('waiting');
  });

  it('waits as long as the answer says', async () => {
    const { subscription } = await refused({ status: 503, code: 'room_full', retryAfter: '7' });
    expect(subscription.status.retryInMs).toBe(7_500);
  });

  it('a provider that gives a bad token anew has no other; an expired one it may mend', async () => {
    const bad = await refused({ status: 401, code: 'token_invalid' }, () => 'bad');
    expect(bad.subscription.status).toMatchObject({ state: 'stopped', code: 'token_invalid' });
    const old = await refused({ status: 401, code: 'token_expired' }, () => 'old');
    expect(old.subscription.status.state).toBe('waiting');
  });

  it('a kept token that is refused is replaced', async () => {
    const gateway = new FakeGateway();
    let tokens = 0;
    const { socket, subscription } = await joined(
      gateway,
      gateway.client({ token: () => `token-${++tokens}` }),
    );
    socket.breakOff();
    await gateway.clock.elapse(500);
    gateway.answer = { status: 401, code: 'token_invalid' };
    (await gateway.socket()).breakOff();
    await settle();
    expect(subscription.status.state).toBe('waiting');
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token-2');
  });

  it('an answer that never comes is given up as “no answer”', async () => {
    const gateway = new FakeGateway();
    const { subscription } = watched(
      gateway,
      gateway.client({ fetch: () => new Promise(() => {}) }),
    );
    (await gateway.socket()).breakOff();
    expect(subscription.status.state).toBe('asking');
    await gateway.clock.elapse(10_000);
    expect(subscription.status).toMatchObject({ state: 'waiting', reason: 'no answer' });
  });

  it('subscribing again tries again', async () => {
    const { gateway, client } = await refused({ status: 403, code: 'room_forbidden' });
    client.subscribe(ROOM);
    await settle();
    expect(gateway.sockets).toHaveLength(2);
  });
});

it('a room that has stopped may be subscribed to again within its `onStatus`', async () => {
  const gateway = new FakeGateway();
  const client = gateway.client();
  client.subscribe(ROOM, {
    onStatus: ({ state }) => state === 'stopped' && client.subscribe(ROOM),
  });
  (await gateway.socket()).join(ROOM, 1);
  gateway.sockets[0]?.breakOff(4400, 'message_invalid');
  await settle();
  expect(gateway.sockets).toHaveLength(2);
});

describe('the token', () => {
  it('is asked for once by rooms that connect together', async () => {
    const gateway = new FakeGateway();
    let asked = 0;
    const client = gateway.client({ token: async () => `token-${++asked}` });
    client.subscribe('price:A');
    client.subscribe('price:B');
    await settle();
    expect(gateway.sockets.map(({ protocols }) => protocols[1])).toEqual([
      'bearer.token-1',
      'bearer.token-1',
    ]);
  });

  it('a provider that fails is asked again, later, and its failure is seen', async () => {
    const gateway = new FakeGateway();
    let fails = true;
    const token = () => {
      if (fails) throw new Error('logged out');
      return 'token';
    };
    const { errors, statuses } = watched(gateway, gateway.client({ token }));
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'waiting', reason: 'no token (logged out)' });
    expect(errors).toEqual(['token_failed']);
    fails = false;
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token');
  });

  it('is taken although the network goes meanwhile', async () => {
    const gateway = new FakeGateway();
    const { promise, resolve } = Promise.withResolvers<string>();
    watched(gateway, gateway.client({ token: () => promise }));
    gateway.window.setOnline(false);
    gateway.window.setOnline(true);
    resolve('token');
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token');
  });

  it('a provider that hangs has failed', async () => {
    const gateway = new FakeGateway();
    const { errors, subscription } = watched(
      gateway,
      gateway.client({ token: () => new Promise(() => {}) }),
    );
    await gateway.clock.elapse(10_000);
    expect(subscription.status.state).toBe('waiting');
    expect(errors).toEqual(['token_failed']);
  });

  async function expiring(lifetimeMs: number) {
    const gateway = new FakeGateway();
    const state = { tokens: 0, fails: false, caches: false };
    const token = () => {
      if (state.fails) throw new Error('logged out');
      if (!state.caches) state.tokens++;
      return `token-${state.tokens}`;
    };
    const made = watched(gateway, gateway.client({ token }));
    const socket = await gateway.socket();
    const welcome = (ms: number) => ({ ...WELCOME, expiresAt: gateway.clock.now() + ms });
    socket.open();
    socket.say(welcome(lifetimeMs), subscribed(ROOM, 0, false));
    const answerPings = () => {
      socket.onSent = (text) => {
        if (text === 'ping') socket.say('pong');
      };
    };
    answerPings();
    return { gateway, state, socket, welcome, ...made };
  }

  it('is renewed over the open socket a minute before it ends', async () => {
    const { gateway, socket, welcome, states } = await expiring(600_000);
    await gateway.clock.elapse(535_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toEqual([]);
    await gateway.clock.elapse(10_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toEqual([
      { type: 'auth', id: 'auth', token: 'token-2' },
    ]);
    socket.say(welcome(600_000));
    await gateway.clock.elapse(300_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toHaveLength(1);
    expect(states()).toEqual(['authorizing', 'connecting', 'open']);
  });

  it('is renewed once for all rooms, and taken by each', async () => {
    const { gateway, client, state, welcome } = await expiring(100_000);
    client.subscribe('price:B');
    const other = await gateway.socket();
    other.onSent = (text) => {
      if (text === 'ping') other.say('pong');
    };
    other.open();
    other.say(welcome(100_000), subscribed('price:B', 0, false));
    await gateway.clock.elapse(95_000);
    for (const { messages } of gateway.sockets) {
      expect(messages.filter(({ type }) => type === 'auth')).toMatchObject([{ token: 'token-2' }]);
    }
    expect(state.tokens).toBe(2);
  });

  it('that was renewed while a room connects with the old one is what that room tries next', async () => {
    const { gateway, client } = await expiring(100_000);
    await gateway.clock.elapse(79_000);
    const other = client.subscribe('price:B');
    const late = await gateway.socket();
    expect(late.protocols[1]).toBe('bearer.token-1');
    await gateway.clock.elapse(2_000);
    gateway.answer = { status: 401, code: 'token_invalid' };
    late.breakOff();
    await settle();
    expect(other.status.state).toBe('waiting');
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token-2');
  });

  it('that lives a month overflows no timer', async () => {
    const { gateway, socket } = await expiring(40 * 86_400_000);
    await gateway.clock.elapse(60_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toEqual([]);
  });

  it('that seems to have ended when it was taken is not renewed: our clock is wrong', async () => {
    const { gateway, socket } = await expiring(-5_000);
    await gateway.clock.elapse(60_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toEqual([]);
  });

  it('that is refused over the socket is replaced by a reconnect', async () => {
    const { gateway, socket } = await expiring(100_000);
    await gateway.clock.elapse(85_000);
    socket.say({ type: 'error', id: 'auth', code: 'token_invalid', message: 'no' });
    expect(socket.isClosed).toBe(true);
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).protocols[1]).toBe('bearer.token-3');
  });

  it('that cannot be renewed is tried again, and reported; the stream goes on', async () => {
    const { gateway, socket, state, errors, subscription } = await expiring(100_000);
    state.fails = true;
    await gateway.clock.elapse(85_000);
    expect(errors).toContain('token_failed');
    expect(subscription.status.state).toBe('open');
    state.fails = false;
    await gateway.clock.elapse(10_000);
    expect(socket.messages.at(-1)).toMatchObject({ type: 'auth' });
  });

  it('that its provider gives once more, since it still holds, is asked for again before it ends', async () => {
    const { gateway, socket, state, states } = await expiring(600_000);
    state.caches = true;
    await gateway.clock.elapse(555_000);
    expect(socket.messages.filter(({ type }) => type === 'auth')).toEqual([]);
    state.caches = false;
    await gateway.clock.elapse(10_000);
    expect(socket.messages.at(-1)).toMatchObject({ type: 'auth', token: 'token-2' });
    expect(states()).toEqual(['authorizing', 'connecting', 'open']);
  });
});

describe('a connection that is dead', () => {
  it('is noticed within a bounded time, and left', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    await gateway.clock.elapse(25_000);
    expect(socket.pings).toBe(1);
    await gateway.clock.elapse(10_000);
    expect(subscription.status).toMatchObject({ state: 'waiting', reason: 'no answer to a ping' });
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).url.searchParams.get('since')).toBe('1:10');
  });

  it('is not what answers, be it with a frame', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    let seq = 10;
    socket.onSent = () => {
      seq++;
      socket.say(seq % 2 ? 'pong' : events(ROOM, seq - 2, [seq - 1, seq]));
    };
    await gateway.clock.elapse(300_000);
    expect(socket.pings).toBeGreaterThan(8);
    expect(subscription.status.state).toBe('open');
  });

  it('after a sleep is asked at once, and has its chance to answer', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    await gateway.clock.elapse(2_000);
    await gateway.clock.jump(8 * 3_600_000);
    expect(socket.pings).toBe(1);
    expect(subscription.status.state).toBe('open');
    socket.say('pong');
    await gateway.clock.elapse(20_000);
    expect(subscription.status.state).toBe('open');
    await gateway.clock.jump(8 * 3_600_000);
    await gateway.clock.elapse(15_000);
    expect(socket.isClosed).toBe(true);
  });

  it('a ping that was out when the sleep began is not held against it', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    await gateway.clock.elapse(25_000);
    expect(socket.pings).toBe(1);
    await gateway.clock.jump(60_000);
    expect(socket.pings).toBe(2);
    expect(subscription.status.state).toBe('open');
  });

  it('a clock that is set back stops nothing', async () => {
    const gateway = new FakeGateway();
    const { socket } = await joined(gateway);
    await gateway.clock.jump(-3_600_000);
    await gateway.clock.elapse(5_000);
    expect(socket.pings).toBe(1);
    await gateway.clock.elapse(15_000);
    expect(socket.isClosed).toBe(true);
  });

  it('has a listener for its `error`, without which `ws` would end the process', async () => {
    const gateway = new FakeGateway();
    const { socket } = await joined(gateway);
    expect(socket.heeded).toContain('error');
  });

  it('what a dropped socket still says is not heard', async () => {
    const gateway = new FakeGateway();
    const { socket, seqs } = await joined(gateway);
    await gateway.clock.elapse(45_000);
    socket.say(events(ROOM, 10, [11]));
    socket.breakOff();
    expect(seqs).toEqual([]);
    expect(gateway.sockets).toHaveLength(2);
  });
});

describe('in a browser', () => {
  it('without a network waits for one, looking now and then', async () => {
    const gateway = new FakeGateway();
    gateway.window.navigator.onLine = false;
    const { subscription } = watched(gateway);
    await gateway.clock.elapse(59_000);
    expect(subscription.status.state).toBe('offline');
    expect(gateway.sockets).toHaveLength(0);
    await gateway.clock.elapse(1_000);
    expect(gateway.sockets).toHaveLength(1);
    gateway.sockets[0]?.breakOff();
    expect(subscription.status.state).toBe('offline');
    gateway.window.setOnline(true);
    await settle();
    expect(gateway.sockets).toHaveLength(2);
  });

  it('going offline asks the open socket, and costs no attempts while it lasts', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    gateway.window.setOnline(false);
    expect(socket.pings).toBe(1);
    await gateway.clock.elapse(15_000);
    expect(subscription.status).toMatchObject({ state: 'offline', reason: 'no answer to a ping' });
    gateway.window.setOnline(true);
    await settle();
    expect(gateway.sockets).toHaveLength(2);
  });

  it('coming online, or a tab that is shown, ends a wait', async () => {
    for (const wake of [
      (g: FakeGateway) => g.window.setOnline(true),
      (g: FakeGateway) => g.window.show(true),
    ]) {
      const gateway = new FakeGateway();
      const { socket } = await joined(gateway);
      socket.breakOff();
      wake(gateway);
      await settle();
      expect(gateway.sockets).toHaveLength(2);
    }
  });

  it('a tab that is shown asks its socket; a hidden one does nothing', async () => {
    const gateway = new FakeGateway();
    const { socket } = await joined(gateway);
    gateway.window.show(false);
    expect(socket.pings).toBe(0);
    gateway.window.show(true);
    gateway.window.show(true);
    expect(socket.pings).toBe(1);
  });

  it('timers that a hidden tab throttles to a minute do not end a connection that answers', async () => {
    const gateway = new FakeGateway();
    const { socket, subscription } = await joined(gateway);
    socket.onSent = (text) => {
      if (text === 'ping') socket.say('pong');
    };
    for (let minute = 0; minute < 10; minute++) await gateway.clock.jump(60_000);
    expect(subscription.status.state).toBe('open');
    socket.onSent = () => {};
    for (let minute = 0; minute < 3; minute++) await gateway.clock.jump(60_000);
    expect(subscription.status.state).not.toBe('open');
  });
});

describe('what arrives', () => {
  it('that is no frame is reported, and passed over', async () => {
    const gateway = new FakeGateway();
    const { socket, errors, seqs } = await joined(gateway);
    socket.say(
      'garbage',
      '{"type":"events","room":"price:A","after":10,"events":[{"seq":11,"ev',
      '[1]',
      'null',
      { type: 'events', room: ROOM, after: '10', events: [] },
      { type: 'events', room: ROOM, after: 10, events: [{ seq: -1, event: {} }] },
      { type: 'subscribed', room: ROOM },
      events(ROOM, 10, [11]),
    );
    expect(seqs).toEqual([11]);
    expect(errors).toEqual(Array(7).fill('frame_invalid'));
  });

  it('that is newer than the client is passed over in silence', async () => {
    const gateway = new FakeGateway();
    const { socket, errors, seqs } = await joined(gateway);
    socket.say(
      { type: 'presence', room: ROOM, users: 3 },
      { type: 'constructor' },
      { ...events('system', 0, [1]) },
      { ...events(ROOM, 10, [11]), compressed: false },
    );
    expect(seqs).toEqual([11]);
    expect(errors).toEqual([]);
  });

  it('an error frame is reported by its code', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client();
    const told: GatewayError[] = [];
    client.on('error', (error) => void told.push(error));
    const { socket } = await joined(gateway, client);
    socket.say({ type: 'error', code: 'message_invalid', message: 'what?' });
    expect(told[0]).toMatchObject({ code: 'message_invalid', room: ROOM });
  });
});

describe('closing', () => {
  it('leaves no timer and no socket behind', async () => {
    const gateway = new FakeGateway();
    const { client, socket, subscription } = await joined(gateway);
    client.close();
    expect(socket.isClosed).toBe(true);
    expect(gateway.clock.pending).toBe(0);
    expect([client.status, subscription.status.state]).toEqual(['stopped', 'stopped']);
    expect(() => client.subscribe(ROOM)).toThrow('closed');
  });

  it('waits for no other side, where the socket can do so', async () => {
    const gateway = new FakeGateway();
    const { client, socket } = await joined(gateway);
    client.close();
    expect(socket.isTerminated).toBe(true);
  });

  it('while a token is fetched or a refusal asked about', async () => {
    const gateway = new FakeGateway();
    const { client } = watched(gateway, gateway.client({ token: () => new Promise(() => {}) }));
    client.close();
    expect(gateway.clock.pending).toBe(0);
    await gateway.clock.elapse(60_000);
    const other = watched(gateway, gateway.client({ fetch: () => new Promise(() => {}) }));
    (await gateway.socket()).breakOff();
    other.client.close();
    await gateway.clock.elapse(60_000);
    expect(gateway.sockets).toHaveLength(1);
    expect(gateway.clock.pending).toBe(0);
  });
});
