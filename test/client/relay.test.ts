/** Many rooms over one connection, against a relay that is played by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  ConnectionStatus,
  GatewayClientOptions,
  GatewayError,
  SubscribeOptions,
} from '../../worker/client/index.ts';
import { MAX_ROOM_LENGTH, normalForm } from '../../worker/client/subscription/room-name.ts';
import { SOCKET_ERROR_CODES } from '../../worker/protocol/codes.ts';
import {
  MAX_ROOM_LENGTH as LONGEST,
  normalForm as protocolForm,
} from '../../worker/protocol/rooms.ts';
import { settle } from '../support/virtual-clock.ts';
import {
  events,
  FakeGateway,
  type FakeSocket,
  gap,
  snapshot,
  subscribed,
  WELCOME,
  WINDOW,
} from './support/fake-gateway.ts';

const SYSTEM = 'system';
const RELAY_WELCOME = {
  ...WELCOME,
  limits: { ...WELCOME.limits, messageLength: 65_536, rooms: 256 },
};

type Item = { readonly room: string; readonly since?: object; readonly maxRate?: number };

const asked = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'subscribe');
const left = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'unsubscribe');
const acks = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'ack');
const itemsOf = (message: object): Item[] => {
  const { rooms = [message] } = message as { rooms?: Item[] };
  return rooms as Item[];
};
/** The rooms of each request. */
const lists = (socket: FakeSocket) =>
  asked(socket).map((message) => itemsOf(message).map(({ room }) => room));
const lastId = (socket: FakeSocket) => String(asked(socket).at(-1)?.id);
const refusal = (room: string | undefined, code: string, id?: string) => ({
  type: 'error',
  ...(id && { id }),
  ...(room && { room }),
  code,
  message: 'says the relay',
});

function start(options: Partial<GatewayClientOptions> = {}) {
  const gateway = new FakeGateway();
  const client = gateway.client({ transport: 'relay', ...options });
  const errors: GatewayError[] = [];
  const statuses: string[] = [];
  client.on('error', (error) => errors.push(error));
  client.on('status', ({ state, code }, room) => {
    statuses.push(`${room} ${state}${code ? ` ${code}` : ''}`);
  });
  const read = (room: string, more: SubscribeOptions<object> = {}) => {
    const told: string[] = [];
    const seen: ConnectionStatus[] = [];
    const subscription = client.subscribe<string, object>(room, {
      onEvent: (_, { seq }) => told.push(`${seq}`),
      onSnapshot: (_, { seq }) => told.push(`s${seq}`),
      onGap: ({ from, to, reason }) => told.push(`gap(${from}-${to} ${reason})`),
      onStatus: (status) => seen.push(status),
      ...more,
    });
    return { told, seen, subscription };
  };
  const opened = async () => {
    const socket = await gateway.socket();
    socket.open();
    socket.say([RELAY_WELCOME]);
    await settle();
    return socket;
  };
  /** Answers the last request with an empty state at 5, of each room. */
  const answer = (socket: FakeSocket, ...rooms: string[]) => {
    const id = lastId(socket);
    socket.say(rooms.flatMap((room) => [subscribed(room, 5, false, 1, id), snapshot(room, 5, [])]));
  };
  /** Reads rooms, which are open. */
  const joined = async (...rooms: string[]) => {
    const readers = rooms.map((room) => read(room));
    const socket = await opened();
    answer(socket, ...rooms);
    await settle();
    return { socket, readers };
  };
  return { gateway, client, errors, statuses, read, opened, answer, joined };
}

describe('one connection', () => {
  it('brings all rooms, which are asked for in one list', async () => {
    const { gateway, read, opened, answer } = start({ url: 'https://gateway.test/base/' });
    const a = read('price:A', { maxRate: 5 });
    const b = read('trade:B', { since: { epoch: 1, seq: 3 } });
    const socket = await opened();
    expect(gateway.sockets).toHaveLength(1);
    expect(socket.url.href).toBe('wss://gateway.test/base/v1/ws');
    expect(socket.messages).toEqual([
      {
        type: 'subscribe',
        id: '1',
        rooms: [
          { room: 'price:A', maxRate: 5 },
          { room: 'trade:B', since: { epoch: 1, seq: 3 } },
        ],
      },
    ]);
    socket.say([subscribed('trade:B', 4, true, 1, '1'), events('trade:B', 3, [4])]);
    answer(socket, 'price:A');
    socket.say([events('price:A', 5, [6]), events('trade:B', 4, [5]), events('price:A', 6, [7])]);
    expect(a.told).toEqual(['s5', '6', '7']);
    expect(b.told).toEqual(['4', '5']);
  });

  it('resumes each room where it stood, and `system` by its address', async () => {
    const { gateway, joined, opened, client } = start();
    const heard: number[] = [];
    client.on('system_alert', (_, { seq }) => heard.push(seq));
    const { socket, readers } = await joined('price:A', 'trade:B');
    socket.say([subscribed(SYSTEM, 7, false), snapshot(SYSTEM, 7, []), events('trade:B', 5, [6])]);
    socket.breakOff();
    await gateway.clock.elapse(500);
    const next = await opened();
    expect(next.url.pathname + next.url.search).toBe('/v1/ws?system=1%3A7');
    expect(asked(next)).toMatchObject([
      {
        rooms: [
          { room: 'price:A', since: { epoch: 1, seq: 5 } },
          { room: 'trade:B', since: { epoch: 1, seq: 6 } },
        ],
      },
    ]);
    const id = lastId(next);
    next.say([subscribed('price:A', 6, true, 1, id), events('price:A', 5, [6])]);
    next.say([
      subscribed('trade:B', 9, false, 1, id),
      gap('trade:B', 6, 9),
      snapshot('trade:B', 9, []),
    ]);
    expect(readers.map(({ told }) => told)).toEqual([
      ['s5', '6'],
      ['s5', '6', 'gap(6-9 trimmed)', 's9'],
    ]);
  });

  it('comes back to its home once, with the place in `system`', async () => {
    const { gateway, joined } = start();
    const { socket } = await joined('price:A');
    const home = '/v1/ws?home=weur.3.20783.AbC';
    socket.say([{ ...RELAY_WELCOME, home }, subscribed(SYSTEM, 7, false), snapshot(SYSTEM, 7, [])]);
    socket.breakOff();
    await gateway.clock.elapse(500);
    const atHome = await gateway.socket();
    expect(atHome.url.pathname + atHome.url.search).toBe(`${home}&system=1%3A7`);
    atHome.breakOff();
    await gateway.clock.elapse(1_000);
    expect((await gateway.socket()).url.href).toBe('wss://gateway.test/v1/ws?system=1%3A7');
  });

  it('asks in pieces that the gateway reads, and that name 256 rooms at most', async () => {
    const { gateway, read } = start();
    for (let room = 0; room < 300; room++) read(`price:${room}`);
    const socket = await gateway.socket();
    socket.open();
    const limits = { ...RELAY_WELCOME.limits, messageLength: 2_000 };
    socket.say([{ ...RELAY_WELCOME, limits }]);
    await settle();
    expect(socket.sent.every((text) => text.length <= 2_000)).toBe(true);
    expect(lists(socket).flat()).toHaveLength(300);
    socket.breakOff();
    await gateway.clock.elapse(500);
    const next = await gateway.socket();
    next.open();
    next.say([RELAY_WELCOME]);
    await settle();
    expect(lists(next).map(({ length }) => length)).toEqual([150, 150]);
  });

  it('that is refused stops all rooms, each with the code', async () => {
    const { gateway, read, errors } = start();
    gateway.answer = { status: 401, code: 'token_invalid' };
    const readers = ['price:A', 'trade:B'].map((room) => read(room));
    (await gateway.socket()).breakOff();
    await settle();
    expect(gateway.asked[0]?.url).toBe('https://gateway.test/v1/ws');
    for (const { subscription } of readers) {
      expect(subscription.status).toMatchObject({ state: 'stopped', code: 'token_invalid' });
    }
    expect(errors.map(({ room }) => room)).toEqual(['price:A', 'trade:B']);
  });

  it('that has stopped is followed by another one, when a room is subscribed to within `onStatus`', async () => {
    const { gateway, client, joined } = start();
    const { socket } = await joined('price:A', 'trade:B');
    client.on('status', ({ state }, room) => state === 'stopped' && client.subscribe(room));
    socket.breakOff(4400, 'message_invalid');
    await settle();
    expect(gateway.sockets).toHaveLength(2);
    expect(client.status).toBe('connecting');
  });

  it('loses no frame of a message in which one makes no sense', async () => {
    const { joined, errors } = start();
    const { socket, readers } = await joined('price:A');
    socket.say([events('price:A', 5, [6]), { type: 'events' }, events('price:A', 6, [7])]);
    expect(readers[0]?.told).toEqual(['s5', '6', '7']);
    expect(errors.map(({ code }) => code)).toEqual(['frame_invalid']);
  });

  it('closes, and leaves no timer behind', async () => {
    const { gateway, client, joined, read } = start();
    const { socket } = await joined('price:A');
    read('trade:B');
    await settle();
    client.close();
    await settle();
    expect(socket.isClosed).toBe(true);
    expect(gateway.clock.pending).toBe(0);
  });
});

describe('a room over the open connection', () => {
  it('is asked for in-band, with all that came in the same turn', async () => {
    const { gateway, joined, read } = start();
    const { socket, readers } = await joined('price:A', 'price:B');
    read('price:C');
    readers[0]?.subscription.unsubscribe();
    read('price:D', { maxRate: 2 });
    readers[1]?.subscription.unsubscribe();
    await settle();
    expect(socket.messages.slice(-2)).toEqual([
      { type: 'unsubscribe', id: 'left', rooms: ['price:A', 'price:B'] },
      {
        type: 'subscribe',
        id: '2',
        rooms: [{ room: 'price:C' }, { room: 'price:D', maxRate: 2 }],
      },
    ]);
    expect(gateway.sockets).toHaveLength(1);
  });

  it('that is subscribed to, left and subscribed to in a turn is asked for once', async () => {
    const { gateway, read, opened, joined } = start();
    read('price:A').subscription.unsubscribe();
    read('price:A');
    const socket = await opened();
    expect(gateway.sockets).toHaveLength(1);
    expect(lists(socket)).toEqual([['price:A']]);
    const other = await joined('price:B');
    expect(other.socket).toBe(socket);
    read('price:C').subscription.unsubscribe();
    const { told } = read('price:C');
    await settle();
    expect(lists(socket).at(-1)).toEqual(['price:C']);
    socket.say([subscribed('price:C', 5, false, 1, lastId(socket)), snapshot('price:C', 5, [])]);
    expect(told).toEqual(['s5']);
    expect(left(socket)).toEqual([]);
  });

  it('that is left and subscribed to in a turn is not left, and its new reader gets the state', async () => {
    const { client, joined, read } = start();
    const prices: number[] = [];
    client.on('price_update', (_, { seq }) => prices.push(seq));
    const { socket, readers } = await joined('price:A');
    readers[0]?.subscription.unsubscribe();
    const { told } = read('price:A');
    await settle();
    socket.say([events('price:A', 5, [6])]);
    socket.say([subscribed('price:A', 6, false, 1, lastId(socket)), snapshot('price:A', 6, [6])]);
    socket.say([events('price:A', 6, [7])]);
    expect(told).toEqual(['s6', '7']);
    expect(prices).toEqual([6, 7]);
    expect(left(socket)).toEqual([]);
    expect(lists(socket)).toHaveLength(2);
  });

  it('that comes and goes within a turn is never asked for', async () => {
    const { joined, read } = start();
    const { socket } = await joined('price:A');
    read('price:B').subscription.unsubscribe();
    await settle();
    expect(socket.messages.filter(({ type }) => type !== 'ack')).toHaveLength(1);
  });

  it('that is left while its answer is on the way sends nothing more to anyone', async () => {
    const { joined, read } = start();
    const { socket } = await joined('price:A');
    const { told, subscription } = read('trade:B');
    await settle();
    const id = lastId(socket);
    subscription.unsubscribe();
    await settle();
    expect(left(socket)).toEqual([{ type: 'unsubscribe', id: 'left', rooms: ['trade:B'] }]);
    socket.say([subscribed('trade:B', 5, false, 1, id), snapshot('trade:B', 5, [5])]);
    expect(told).toEqual([]);
  });

  it('passes over the answer to a request before the last one', async () => {
    const { joined, read } = start();
    const { socket } = await joined('price:A');
    const before = read('trade:B', { since: { epoch: 1, seq: 0 } });
    await settle();
    const stale = lastId(socket);
    before.subscription.unsubscribe();
    await settle();
    const { told, subscription } = read('trade:B', { since: { epoch: 1, seq: 9 } });
    await settle();
    const id = lastId(socket);
    expect(id).not.toBe(stale);
    // What has the place 0 has missed nothing by the new epoch; who stands at 9 has.
    socket.say([subscribed('trade:B', 12, true, 2, stale), events('trade:B', 0, [1, 2, 12])]);
    expect(told).toEqual([]);
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 9 });
    socket.say([
      { type: 'unsubscribed', room: 'trade:B' },
      refusal('trade:B', 'room_invalid', stale),
    ]);
    socket.say([
      subscribed('trade:B', 12, false, 2, id),
      gap('trade:B', 9, 12, 'epoch', 2),
      snapshot('trade:B', 12, [], 2),
    ]);
    expect(told).toEqual(['gap(9-12 epoch)', 's12']);
    expect(subscription.status.state).toBe('open');
  });

  it('that the last one leaves closes the connection, when the turn has ended', async () => {
    const { gateway, client, joined, read, statuses } = start();
    const { socket, readers } = await joined('price:A', 'price:B');
    for (const { subscription } of readers) subscription.unsubscribe();
    expect(socket.isClosed).toBe(false);
    await settle();
    expect(socket.isClosed).toBe(true);
    expect([client.status, gateway.clock.pending]).toEqual(['idle', 0]);
    expect(statuses.slice(-2)).toEqual(['price:A stopped closed', 'price:B stopped closed']);
    read('price:C');
    await settle();
    expect(gateway.sockets).toHaveLength(2);
  });

  it('that is left while the connection is away is not resumed', async () => {
    const { gateway, joined, opened, statuses } = start();
    const { socket, readers } = await joined('price:A', 'price:B');
    socket.breakOff();
    readers[0]?.subscription.unsubscribe();
    await gateway.clock.elapse(500);
    const next = await opened();
    expect(lists(next)).toEqual([['price:B']]);
    expect(left(next)).toEqual([]);
    expect(statuses).toContain('price:A stopped closed');
  });

  it('is shared by all who read it, by whatever form of its name', async () => {
    const address = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';
    const { read, opened } = start();
    const one = read(`user:${address}`);
    const two = read(`user:${address.toLowerCase()}`);
    const other = read('price:a');
    const upper = read('price:A');
    const socket = await opened();
    expect(lists(socket)).toEqual([[`user:${address}`, 'price:a', 'price:A']]);
    const room = `user:${address.toLowerCase()}`;
    const id = lastId(socket);
    for (const name of [room, 'price:a', 'price:A']) {
      socket.say([subscribed(name, 1, false, 1, id), snapshot(name, 1, [])]);
    }
    socket.say([events(room, 1, [2]), events('price:A', 1, [3])]);
    expect([one, two, other, upper].map(({ told }) => told)).toEqual([
      ['s1', '2'],
      ['s1', '2'],
      ['s1'],
      ['s1', '3'],
    ]);
  });

  it('whose answer does not come is asked for over another connection', async () => {
    const { gateway, joined, read, opened } = start();
    const { socket } = await joined('price:A');
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    const { subscription } = read('price:B', { since: { epoch: 1, seq: 4 } });
    await gateway.clock.elapse(299_000);
    expect(subscription.status.state).toBe('connecting');
    await gateway.clock.elapse(2_000);
    expect(lists(await opened())).toEqual([['price:A', 'price:B']]);
  });
});

describe('a room that is refused', () => {
  const final = SOCKET_ERROR_CODES.filter((code: string) => code !== 'room_unavailable');
  it.each(final)('with %s is stopped with the code, and told; the others go on', async (code) => {
    const { joined, read, errors, client, statuses } = start();
    const { socket, readers } = await joined('price:A');
    const { subscription, seen } = read('user:1');
    await settle();
    socket.say([refusal('user:1', code, lastId(socket)), events('price:A', 5, [6])]);
    expect(subscription.status).toMatchObject({
      state: 'stopped',
      code,
      reason: `refused (${code}: says the relay)`,
    });
    expect(seen.at(-1)).toEqual(subscription.status);
    expect(errors).toMatchObject([{ code, room: 'user:1' }]);
    expect(statuses.at(-1)).toBe(`user:1 stopped ${code}`);
    expect(readers[0]?.told).toEqual(['s5', '6']);
    expect(client.status).toBe('open');
    await settle();
    expect(left(socket)).toEqual([]);
  });

  it('makes a loop over it throw', async () => {
    const { joined, client } = start();
    const { socket } = await joined('price:A');
    const loop = client.subscribe('user:1')[Symbol.asyncIterator]();
    await settle();
    socket.say([refusal('user:1', 'room_forbidden', lastId(socket))]);
    await expect(loop.next()).rejects.toMatchObject({ code: 'room_forbidden', room: 'user:1' });
  });

  it('that is the only one ends the connection; subscribing again tries again', async () => {
    const { gateway, read, opened } = start();
    read('user:1');
    const socket = await opened();
    socket.say([refusal('user:1', 'room_forbidden', lastId(socket))]);
    await settle();
    expect(socket.isClosed).toBe(true);
    expect(gateway.clock.pending).toBe(0);
    read('user:1');
    expect(lists(await opened())).toEqual([['user:1']]);
  });

  it('for now is asked for again, later and later', async () => {
    const { gateway, joined, read, errors } = start();
    gateway.random = 1;
    const { socket } = await joined('price:A');
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    const { seen, subscription, told } = read('price:B');
    await settle();
    for (const wait of [1_000, 2_000, 4_000]) {
      socket.say([refusal('price:B', 'room_unavailable', lastId(socket))]);
      expect(seen.at(-1)).toMatchObject({
        state: 'waiting',
        retryInMs: wait,
        reason: 'refused (room_unavailable: says the relay)',
      });
      const before = asked(socket).length;
      await gateway.clock.elapse(wait - 1);
      expect(asked(socket)).toHaveLength(before);
      await gateway.clock.elapse(1);
      expect(lists(socket).at(-1)).toEqual(['price:B']);
    }
    socket.say([subscribed('price:B', 5, false, 1, lastId(socket)), snapshot('price:B', 5, [])]);
    expect(told).toEqual(['s5']);
    expect(subscription.status.state).toBe('open');
    expect(seen.map(({ state }) => state)).toEqual([
      'connecting',
      ...Array(3).fill(['waiting', 'connecting']).flat(),
      'open',
    ]);
    expect(errors).toEqual([]);
  });

  it('for now and has lost its connection is asked for with the others', async () => {
    const { gateway, joined, read, opened } = start();
    gateway.random = 0.9;
    const { socket } = await joined('price:A');
    read('price:B');
    await settle();
    socket.say([refusal('price:B', 'room_unavailable', lastId(socket))]);
    socket.breakOff();
    await gateway.clock.elapse(900);
    const next = await opened();
    expect(lists(next)).toEqual([['price:A', 'price:B']]);
    await gateway.clock.elapse(2_000);
    expect(lists(next)).toHaveLength(1);
  });

  it('together with its whole list is asked for again by itself', async () => {
    const { read, opened, errors } = start();
    const rooms = ['price:A', 'x'.repeat(100_000), 'price:B'];
    const readers = rooms.map((room) => read(room));
    const socket = await opened();
    expect(socket.sent[0]?.length).toBeLessThan(1_000);
    socket.say([refusal(undefined, 'message_invalid', lastId(socket))]);
    await settle();
    expect(readers.map(({ subscription }) => subscription.status.state)).not.toContain('stopped');
    const single = asked(socket).slice(1);
    expect(single.map((message) => itemsOf(message).length)).toEqual([1, 1, 1]);
    for (const message of single) {
      const [{ room = '' } = {}] = itemsOf(message);
      const id = String(message.id);
      if (room.length > LONGEST) socket.say([refusal(undefined, 'message_invalid', id)]);
      else socket.say([subscribed(room, 5, false, 1, id), snapshot(room, 5, [])]);
    }
    expect(readers.map(({ subscription }) => subscription.status.state)).toEqual([
      'open',
      'stopped',
      'open',
    ]);
    expect(errors.map(({ code }) => code)).toEqual(['message_invalid']);
  });
});

describe('the token', () => {
  const welcomed = (expiresAt: number) => ({ ...RELAY_WELCOME, expiresAt });
  const auths = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'auth');

  it('is renewed over the one connection', async () => {
    let tokens = 0;
    const { gateway, read } = start({ token: () => `token-${++tokens}` });
    read('price:A');
    read('user:1');
    const socket = await gateway.socket();
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    socket.open();
    socket.say([welcomed(gateway.clock.now() + 100_000)]);
    await gateway.clock.elapse(90_000);
    expect(auths(socket)).toEqual([{ type: 'auth', id: 'auth', token: 'token-2' }]);
    socket.say([welcomed(gateway.clock.now() + 100_000)]);
    await settle();
    expect(lists(socket)).toEqual([['price:A', 'user:1']]);
  });

  it('that opens less stops what it no longer opens', async () => {
    const { joined, read, errors } = start();
    const { socket, readers } = await joined('price:A', 'desk-1');
    const again: unknown[] = [];
    readers[1]?.subscription[Symbol.asyncIterator]()
      .next()
      .catch((error) => again.push(error));
    socket.say([refusal('desk-1', 'room_forbidden'), { type: 'unsubscribed', room: 'desk-1' }]);
    socket.say([events('price:A', 5, [6])]);
    await settle();
    expect(readers.map(({ subscription }) => subscription.status.state)).toEqual([
      'open',
      'stopped',
    ]);
    expect(readers[0]?.told).toEqual(['s5', '6']);
    expect(errors).toMatchObject([{ code: 'room_forbidden', room: 'desk-1' }]);
    expect(again).toMatchObject([{ code: 'room_forbidden' }]);
    const { subscription } = read('desk-1');
    await settle();
    expect(lists(socket).at(-1)).toEqual(['desk-1']);
    expect(subscription.status.state).toBe('connecting');
  });

  it('is fetched anew for a room that wants one, as after a login', async () => {
    let token = '';
    const { gateway, joined, read } = start({ token: () => token });
    const { socket } = await joined('price:A');
    token = 'token-of-1';
    const { seen, told } = read('user:1');
    await settle();
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    expect(seen.at(-1)?.state).toBe('authorizing');
    await settle();
    expect(auths(socket)).toMatchObject([{ token: 'token-of-1' }]);
    expect(seen.at(-1)?.state).toBe('waiting');
    await gateway.clock.elapse(1_000);
    expect(lists(socket).at(-1)).toEqual(['user:1']);
    socket.say([subscribed('user:1', 5, false, 1, lastId(socket)), snapshot('user:1', 5, [])]);
    expect(told).toEqual(['s5']);
    expect(gateway.sockets).toHaveLength(1);
  });

  it.each([
    ['a function gives', () => 'token-of-1'],
    ['is a text', 'token-of-1'],
  ])(
    'that %s and something on the way removes comes over the open socket when a room wants it',
    async (_, token) => {
      const { gateway, read, opened, answer, errors } = start({ token });
      gateway.answer = { status: 426, code: 'upgrade_required' };
      read('price:A');
      (await gateway.socket()).breakOff();
      await gateway.clock.elapse(500);
      const socket = await opened();
      expect(socket.protocols).toEqual([]);
      answer(socket, 'price:A');
      expect(errors.map(({ code }) => code)).toEqual(['token_lost']);
      const { subscription } = read('user:1');
      await settle();
      socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
      await gateway.clock.elapse(1_000);
      expect(auths(socket)).toMatchObject([{ token: 'token-of-1' }]);
      answer(socket, 'user:1');
      expect(subscription.status.state).toBe('open');
    },
  );

  it('that is a text and opens nothing stops the room once it was brought', async () => {
    const { gateway, read, opened } = start({ token: 'token-of-2' });
    gateway.answer = { status: 426, code: 'upgrade_required' };
    const { subscription } = read('user:1');
    (await gateway.socket()).breakOff();
    await gateway.clock.elapse(500);
    const socket = await opened();
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    await gateway.clock.elapse(1_000);
    expect(auths(socket)).toMatchObject([{ token: 'token-of-2' }]);
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    expect(auths(socket)).toHaveLength(1);
    expect(subscription.status).toMatchObject({ state: 'stopped', code: 'token_missing' });
  });

  it('that the provider does not have stops the room, once it was asked', async () => {
    let asks = 0;
    const token = () => {
      asks++;
      return '';
    };
    const { gateway, joined, read } = start({ token });
    const { socket } = await joined('price:A');
    const { subscription } = read('user:1');
    await settle();
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    await gateway.clock.elapse(1_000);
    expect([asks, auths(socket).length]).toEqual([2, 0]);
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    expect(subscription.status).toMatchObject({ state: 'stopped', code: 'token_missing' });
  });

  it('that the provider fails to give is asked for again', async () => {
    let token: string | undefined = '';
    const { gateway, joined, read, errors } = start({
      token: () => token ?? Promise.reject(new Error('no network')),
    });
    const { socket } = await joined('price:A');
    const { subscription } = read('user:1');
    token = undefined;
    await settle();
    for (let attempt = 1; attempt <= 3; attempt++) {
      socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
      await gateway.clock.elapse(2_000);
      expect(lists(socket).at(-1)).toEqual(['user:1']);
    }
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('token_failed'));
    token = 'token-of-1';
    socket.say([refusal('user:1', 'token_missing', lastId(socket))]);
    await gateway.clock.elapse(4_000);
    expect(auths(socket)).toMatchObject([{ token: 'token-of-1' }]);
    socket.say([subscribed('user:1', 5, false, 1, lastId(socket)), snapshot('user:1', 5, [])]);
    expect(subscription.status.state).toBe('open');
  });
});

describe('acks', () => {
  /** A frame of a third of the window. */
  const third = (room: string, after: number) => ({
    ...events(room, after, [after + 1]),
    padding: 'x'.repeat(WINDOW / 3 - 100),
  });

  it('count over all rooms, and name the newest frame', async () => {
    const { joined } = start();
    const { socket } = await joined('price:A', 'trade:B');
    expect(acks(socket)).toEqual([{ type: 'ack', room: 'trade:B', seq: 5 }]);
    socket.say([third('price:A', 5)]);
    expect(acks(socket)).toHaveLength(1);
    socket.say([third('trade:B', 5)]);
    expect(acks(socket).slice(1)).toEqual([{ type: 'ack', room: 'trade:B', seq: 6 }]);
  });

  it('name no room that is asked anew or left, of which the gateway forgets what was on its way', async () => {
    const { joined, read } = start();
    const { socket, readers } = await joined('price:A', 'trade:B', 'price:C');
    socket.say([third('price:A', 5)]);
    read('trade:B');
    readers[2]?.subscription.unsubscribe();
    await settle();
    socket.say([third('trade:B', 5), third('price:C', 5)]);
    expect(acks(socket)).toHaveLength(1);
    socket.say([events('price:A', 6, [7])]);
    expect(acks(socket).slice(1)).toEqual([{ type: 'ack', room: 'price:A', seq: 7 }]);
  });

  it('name what is left of a message whose newest room is left', async () => {
    const { joined } = start();
    const { socket, readers } = await joined('price:A', 'trade:B');
    socket.say([events('trade:B', 5, [6])]);
    readers[1]?.subscription.unsubscribe();
    await settle();
    socket.say([{ ...third('trade:B', 6), more: 'x'.repeat(WINDOW) }]);
    expect(acks(socket)).toHaveLength(1);
  });
});

describe('the status', () => {
  it('is each room’s own: of the connection, and then of the room', async () => {
    const { gateway, statuses, read, opened, answer, client } = start();
    read('price:A');
    read('trade:B');
    const socket = await opened();
    expect(client.status).toBe('connecting');
    answer(socket, 'trade:B');
    expect(client.status).toBe('connecting');
    answer(socket, 'price:A');
    expect(client.status).toBe('open');
    socket.breakOff();
    await gateway.clock.elapse(1);
    expect(statuses).toEqual([
      'price:A authorizing',
      'trade:B authorizing',
      'price:A connecting',
      'trade:B connecting',
      'trade:B open',
      'price:A open',
      'price:A waiting',
      'trade:B waiting',
    ]);
  });

  it('of a room that comes later begins with that of the connection', async () => {
    const { joined, read, statuses } = start();
    const { socket } = await joined('price:A');
    const { seen } = read('price:B');
    expect(seen.map(({ state }) => state)).toEqual(['connecting']);
    expect(statuses.at(-1)).toBe('price:B connecting');
    socket.breakOff();
    expect(seen.at(-1)?.state).toBe('waiting');
  });
});

describe('`system` over a relay', () => {
  const state = (seq: number) => [subscribed(SYSTEM, seq, false), snapshot(SYSTEM, seq, [])];

  it('is heard by handlers of a type, and asked for over the connection when there is a hole', async () => {
    const { joined, client } = start();
    const heard: number[] = [];
    client.on('price_update', (_, { room, seq }) => room === SYSTEM && heard.push(seq));
    const { socket } = await joined('price:A');
    socket.say([...state(5), events(SYSTEM, 5, [6]), events(SYSTEM, 8, [9])]);
    await settle();
    expect(asked(socket).at(-1)).toMatchObject({ room: SYSTEM, since: { epoch: 1, seq: 6 } });
    socket.say([subscribed(SYSTEM, 9, true, 1, lastId(socket)), events(SYSTEM, 6, [7, 8, 9])]);
    expect(heard).toEqual([6, 7, 8, 9]);
  });

  it('is subscribed to over the same connection, and goes on when that is left', async () => {
    const { gateway, joined, client, read, statuses } = start();
    const heard: number[] = [];
    client.on('price_update', (_, { room, seq }) => room === SYSTEM && heard.push(seq));
    const { socket } = await joined('price:A');
    socket.say(state(5));
    expect(statuses.join()).not.toContain(SYSTEM);
    const { told, subscription } = read(SYSTEM);
    await settle();
    expect(gateway.sockets).toHaveLength(1);
    expect(asked(socket).at(-1)).toEqual({ type: 'subscribe', id: '2', room: SYSTEM });
    socket.say([subscribed(SYSTEM, 6, false, 1, lastId(socket)), snapshot(SYSTEM, 6, [6])]);
    await settle();
    // The handlers of a type have missed what the state has passed over: they go on from 5.
    socket.say([subscribed(SYSTEM, 6, true, 1, lastId(socket)), events(SYSTEM, 5, [6])]);
    socket.say([events(SYSTEM, 6, [7])]);
    expect(told).toEqual(['s6', '7']);
    expect(heard).toEqual([6, 7]);
    subscription.unsubscribe();
    await settle();
    expect(left(socket)).toEqual([]);
    socket.say([events(SYSTEM, 7, [8])]);
    expect([told.length, heard.at(-1)]).toEqual([2, 8]);
  });

  it('is declined by the address, and may be subscribed to and left all the same', async () => {
    const { joined, read } = start({ system: false });
    const { socket } = await joined('price:A');
    expect(socket.url.search).toBe('?system=off');
    const { told, subscription } = read(SYSTEM);
    await settle();
    socket.say([subscribed(SYSTEM, 5, false, 1, lastId(socket)), snapshot(SYSTEM, 5, [])]);
    socket.say([events(SYSTEM, 5, [6])]);
    expect(told).toEqual(['s5', '6']);
    subscription.unsubscribe();
    await settle();
    expect(left(socket)).toEqual([{ type: 'unsubscribe', id: 'left', rooms: [SYSTEM] }]);
  });

  it('that is refused is reported as an error, asked for again, and costs the rooms nothing', async () => {
    const { gateway, joined, errors, client } = start();
    const { socket } = await joined('price:A');
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    socket.say([...state(5), refusal(SYSTEM, 'room_unavailable')]);
    expect(errors).toMatchObject([{ code: 'room_unavailable', room: SYSTEM }]);
    await gateway.clock.elapse(500);
    expect(asked(socket).at(-1)).toMatchObject({ room: SYSTEM, since: { epoch: 1, seq: 5 } });
    await gateway.clock.elapse(400_000);
    expect(client.status).toBe('open');
    expect(gateway.sockets).toHaveLength(1);
  });
});

describe("a room's name", () => {
  it('is known again in the form that the gateway gives it', () => {
    const part = fc.oneof(
      fc.constantFrom('0x', '0X', 'AbCdEf0123456789'.repeat(3), ':', '-', '_', 'e\u0301', 'Ä', '1'),
      fc.string({ unit: 'grapheme', maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const room = parts.join('');
        expect(normalForm(room)).toBe(normalForm(protocolForm(room)));
      }),
      { numRuns: 2_000 },
    );
    expect(MAX_ROOM_LENGTH).toBe(LONGEST);
  });
});
