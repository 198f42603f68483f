/** Everyone hears `system`: over each connection of a client, and each alert once. */
import { describe, expect, it } from 'vitest';
import type { GatewayClientOptions, GatewayError } from '../../worker/client/index.ts';
import { settle } from '../support/virtual-clock.ts';
import {
  events,
  FakeGateway,
  type FakeSocket,
  gap,
  numbered,
  snapshot,
  subscribed,
  WELCOME,
  WINDOW,
} from './support/fake-gateway.ts';

const SYSTEM = 'system';

const told = (seqs: readonly number[]) => seqs.map((seq) => numbered(seq, 'system_alert'));
const alerts = (after: number, seqs: readonly number[]) => ({
  ...events(SYSTEM, after, []),
  events: told(seqs),
});
const state = (seq: number, seqs: readonly number[], epoch = 1) => ({
  ...snapshot(SYSTEM, seq, [], epoch),
  events: told(seqs),
});
const joinedSystem = (seq: number, seqs: readonly number[] = []) => [
  subscribed(SYSTEM, seq, false),
  state(seq, seqs),
];

/** A client that writes down its alerts: `=5` of a snapshot, `6` as it happens. */
function listening(options: Partial<GatewayClientOptions> = {}) {
  const gateway = new FakeGateway();
  const client = gateway.client(options);
  const heard: string[] = [];
  const errors: GatewayError[] = [];
  client.on('system_alert', (_, { seq, snapshot }) => heard.push(`${snapshot ? '=' : ''}${seq}`));
  client.on('error', (error) => errors.push(error));
  /** Opens a connection of another room, which has joined its own room only. */
  const open = async (room: string, at = 0) => {
    client.subscribe(room);
    const socket = await gateway.socket();
    socket.join(room, at);
    return socket;
  };
  /** Cuts a connection off, and gives the one that comes instead. */
  const cut = async (socket: FakeSocket) => {
    socket.breakOff();
    await gateway.clock.elapse(500);
    return gateway.socket();
  };
  return { gateway, client, heard, errors, open, cut };
}

const placeOf = (socket: FakeSocket) => socket.url.searchParams.get(SYSTEM);
const requests = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'subscribe');
const acks = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'ack');

describe('alerts (R13)', () => {
  it("come over any room's connection, those that a snapshot shows as such", async () => {
    const { open, heard, errors } = listening();
    const socket = await open('price:A');
    socket.say(...joinedSystem(5, [3, 5]), alerts(5, [6]), events('price:A', 0, [1]));
    expect(heard).toEqual(['=3', '=5', '6']);
    expect(errors).toEqual([]);
    expect(requests(socket)).toEqual([]);
  });

  it('may come before anything of the room, and in parts', async () => {
    const { client, gateway, heard } = listening();
    client.subscribe('price:A');
    const socket = await gateway.socket();
    socket.open();
    socket.say(WELCOME, subscribed(SYSTEM, 5, false), { ...state(5, [3]), more: true });
    socket.say(subscribed('price:A', 1, false), snapshot('price:A', 1, [1]));
    socket.say(state(5, [5]), alerts(5, [6]));
    expect(heard).toEqual(['=3', '=5', '6']);
  });

  it('come with their place, as notifications to everyone do', async () => {
    const { client, open } = listening();
    const infos: unknown[] = [];
    client.on('maintenance', (event, info) => infos.push([event.type, info]));
    const socket = await open('price:A');
    socket.say(...joinedSystem(5), {
      ...events(SYSTEM, 5, []),
      events: [numbered(6, 'maintenance')],
    });
    expect(infos).toEqual([['maintenance', { room: SYSTEM, epoch: 1, seq: 6, snapshot: false }]]);
  });

  it('are delivered once, in order, though they come over each connection', async () => {
    const { open, heard, errors } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    a.say(...joinedSystem(5, [5]));
    b.say(...joinedSystem(4, [4]), alerts(4, [5, 6]));
    a.say(alerts(5, [6, 7]));
    b.say(alerts(6, [7]), alerts(7, [8]));
    a.say(alerts(7, [8, 9]));
    expect(heard).toEqual(['=5', '6', '7', '8', '9']);
    expect(errors).toEqual([]);
    expect([...requests(a), ...requests(b)]).toEqual([]);
  });

  it('go on where any connection has brought them, over whichever comes back or is new', async () => {
    const { open, cut, heard } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    expect([placeOf(a), placeOf(b)]).toEqual([null, null]);
    a.say(...joinedSystem(5));
    b.say(...joinedSystem(5), alerts(5, [6]));
    const back = await cut(a);
    expect(placeOf(back)).toBe('1:6');
    const fresh = await open('price:C');
    expect(placeOf(fresh)).toBe('1:6');
    b.say(alerts(6, [7]));
    fresh.say(subscribed(SYSTEM, 7, true), alerts(6, [7, 8]));
    back.join('price:A', 0);
    back.say(subscribed(SYSTEM, 7, true), alerts(6, [7]), alerts(7, [8, 9]));
    expect(heard).toEqual(['6', '7', '8', '9']);
  });

  it('go on after all rooms were left', async () => {
    const { client, gateway, open } = listening();
    const subscription = client.subscribe('price:A');
    const socket = await gateway.socket();
    socket.join('price:A', 0);
    socket.say(...joinedSystem(5));
    subscription.unsubscribe();
    expect(placeOf(await open('price:B'))).toBe('1:5');
  });

  it('end when the client closes, even within a frame', async () => {
    const { client, open, heard } = listening();
    const socket = await open('price:A');
    client.on('system_alert', () => client.close());
    socket.say(...joinedSystem(5), alerts(5, [6, 7]));
    expect(heard).toEqual(['6']);
  });

  it('are delivered to the end of their frame though a handler leaves the room', async () => {
    const { client, gateway, heard } = listening();
    const subscription = client.subscribe('price:A');
    client.on('system_alert', () => subscription.unsubscribe());
    const socket = await gateway.socket();
    socket.join('price:A', 0);
    socket.say(...joinedSystem(5), alerts(5, [6, 7]));
    expect(heard).toEqual(['6', '7']);
  });
});

describe('what was missed of `system` (R13)', () => {
  it('is asked for over the socket that shows the hole', async () => {
    const { open, heard, errors } = listening();
    const socket = await open('price:A');
    socket.say(...joinedSystem(5), alerts(7, [8]), alerts(8, [9]));
    expect(requests(socket)).toEqual([
      { type: 'subscribe', id: '1', room: SYSTEM, since: { epoch: 1, seq: 5 } },
    ]);
    socket.say(subscribed(SYSTEM, 9, true), alerts(5, [6, 7, 8, 9]), alerts(9, [10]));
    expect(heard).toEqual(['6', '7', '8', '9', '10']);
    expect(errors).toEqual([]);
  });

  it('is asked for at a hole right after a cursor was recovered', async () => {
    const { open, cut, heard } = listening();
    const first = await open('price:A');
    first.say(...joinedSystem(5));
    const socket = await cut(first);
    socket.join('price:A', 0);
    socket.say(subscribed(SYSTEM, 9, true), alerts(7, [8]));
    expect(requests(socket)).toMatchObject([{ room: SYSTEM, since: { epoch: 1, seq: 5 } }]);
    socket.say(subscribed(SYSTEM, 9, true), alerts(5, [6, 7, 8, 9]));
    expect(heard).toEqual(['6', '7', '8', '9']);
  });

  it('is asked for by a connection that joined further on', async () => {
    const { open, heard } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    a.say(...joinedSystem(5));
    b.say(...joinedSystem(8, [7, 8]));
    expect(heard).toEqual([]);
    expect(requests(b)).toMatchObject([{ room: SYSTEM, since: { epoch: 1, seq: 5 } }]);
    b.say(subscribed(SYSTEM, 8, true), alerts(5, [6, 7, 8]));
    a.say(alerts(5, [6, 7, 8]));
    expect(heard).toEqual(['6', '7', '8']);
  });

  it('that cannot be had is reported as an error, and the snapshot is taken', async () => {
    const { open, cut, heard, errors } = listening();
    const first = await open('price:A');
    first.say(...joinedSystem(5));
    const socket = await cut(first);
    socket.join('price:A', 0);
    socket.say(subscribed(SYSTEM, 90, false), gap(SYSTEM, 5, 90), state(90, [89, 90]));
    socket.say(alerts(90, [91]));
    expect(heard).toEqual(['=89', '=90', '91']);
    expect(errors).toMatchObject([
      {
        code: 'system_gap',
        room: SYSTEM,
        message: 'some alerts are lost',
        cause: { epoch: 1, from: 5, to: 90, reason: 'trimmed' },
      },
    ]);
  });

  it('on one connection is not a gap when another has brought it', async () => {
    const { open, heard, errors } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    a.say(...joinedSystem(5));
    b.say(...joinedSystem(5), alerts(5, [6, 7, 8]));
    a.say(gap(SYSTEM, 5, 7), state(7, [6, 7]), alerts(7, [8, 9]));
    expect(heard).toEqual(['6', '7', '8', '9']);
    expect(errors).toEqual([]);
    expect(requests(a)).toEqual([]);
  });

  it('by a new epoch is reported once, whatever the number of connections', async () => {
    const { open, heard, errors } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    for (const socket of [a, b]) socket.say(...joinedSystem(5));
    for (const socket of [a, b]) {
      socket.say(gap(SYSTEM, 5, 2, 'epoch', 2), state(2, [2], 2), alerts(2, [3]));
    }
    expect(heard).toEqual(['=2', '3']);
    expect(errors.map(({ code }) => code)).toEqual(['system_gap']);
  });

  it('by an object that has not heard of the new epoch is ignored, and costs the room nothing', async () => {
    const { gateway, client, open, cut, heard, errors } = listening();
    const [a, b] = [await open('price:A'), await open('trade:B')];
    b.say(...joinedSystem(5), gap(SYSTEM, 5, 2, 'epoch', 2), state(2, [], 2));
    a.say(...joinedSystem(9, [9]), alerts(9, [10]));
    const back = await cut(a);
    back.join('price:A', 0);
    back.say(subscribed(SYSTEM, 9, false), gap(SYSTEM, 2, 9, 'epoch'), state(9, [9]));
    b.say(alerts(2, [3]));
    for (const socket of [b, back]) socket.onSent = (text) => text === 'ping' && socket.say('pong');
    await gateway.clock.elapse(60_000);
    expect(heard).toEqual(['3']);
    expect(errors.map(({ code }) => code)).toEqual(['system_gap']);
    expect(client.status).toBe('open');
    expect(back.isClosed).toBe(false);
  });

  it('that is refused for now is reported, and asked for again', async () => {
    const { gateway, client, open, heard, errors } = listening();
    const socket = await open('price:A');
    socket.onSent = (text) => text === 'ping' && socket.say('pong');
    socket.say(...joinedSystem(5), alerts(7, [8]));
    socket.say({ type: 'error', room: SYSTEM, code: 'room_unavailable', message: 'later' });
    expect(errors).toMatchObject([{ code: 'room_unavailable', room: SYSTEM }]);
    expect(client.status).toBe('open');
    socket.say(alerts(8, [9]));
    await gateway.clock.elapse(500);
    expect(requests(socket)).toHaveLength(2);
    await gateway.clock.elapse(400_000);
    expect(client.status).toBe('open');
    socket.say(subscribed(SYSTEM, 9, true, 1, '2'), alerts(5, [6, 7, 8, 9]));
    expect(heard).toEqual(['6', '7', '8', '9']);
  });
});

describe('acks', () => {
  it('name the newest frame, of `system` too, whose frames count towards the window (R8)', async () => {
    const { open } = listening();
    const socket = await open('price:A', 4);
    expect(acks(socket)).toEqual([{ type: 'ack', room: 'price:A', seq: 4 }]);
    socket.say(...joinedSystem(5));
    let seq = 5;
    let length = 0;
    while (length < WINDOW / 2) {
      const frame = alerts(seq, [++seq]);
      length += JSON.stringify(frame).length;
      socket.say(frame);
    }
    expect(acks(socket)).toHaveLength(2);
    expect(acks(socket)[1]).toMatchObject({ room: SYSTEM });
  });

  it('are not sent for what little `system` says', async () => {
    const { open } = listening();
    const socket = await open('price:A', 4);
    socket.say(...joinedSystem(5), alerts(5, [6]));
    expect(acks(socket)).toEqual([{ type: 'ack', room: 'price:A', seq: 4 }]);
  });
});

describe('a subscription to `system`', () => {
  it('has a connection of its own, and does not make handlers of a type hear twice', async () => {
    const { gateway, client, open, heard } = listening();
    const other = await open('price:A');
    other.say(...joinedSystem(5, [5]));
    const mine: string[] = [];
    const subscription = client.subscribe(SYSTEM, {
      onSnapshot: (_, { seq }) => mine.push(`s${seq}`),
      onEvent: (_, { seq }) => mine.push(`${seq}`),
      maxRate: 5,
    });
    const own = await gateway.socket();
    expect(own.url.href).toBe('wss://gateway.test/v1/rooms/system?maxRate=5');
    own.open();
    own.say(WELCOME, ...joinedSystem(5, [5]));
    own.say(alerts(5, [6]));
    other.say(alerts(5, [6, 7]));
    own.say(alerts(6, [7, 8]));
    other.say(alerts(7, [8, 9]));
    expect(mine).toEqual(['s5', '6', '7', '8']);
    expect(heard).toEqual(['=5', '6', '7', '8', '9']);
    subscription.unsubscribe();
    other.say(alerts(9, [10]));
    expect(heard.at(-1)).toBe('10');
    expect(mine).toHaveLength(4);
  });

  it('alone is heard by handlers of a type as well', async () => {
    const { gateway, client, heard } = listening();
    client.subscribe(SYSTEM);
    const socket = await gateway.socket();
    socket.open();
    socket.say(WELCOME, ...joinedSystem(5, [5]), alerts(5, [6]));
    expect(heard).toEqual(['=5', '6']);
  });

  it('with `since` says where all connections begin, also when it is a place of elsewhere', async () => {
    const { gateway, client, heard, errors } = listening();
    client.subscribe('price:A');
    client.subscribe(SYSTEM, { since: '9:3' });
    await settle();
    const [room, own] = gateway.sockets;
    expect([room, own].map((socket) => socket?.url.search)).toEqual([
      '?system=9%3A3',
      '?since=9%3A3',
    ]);
    room?.join('price:A', 0);
    room?.say(subscribed(SYSTEM, 7, false), gap(SYSTEM, 3, 7, 'epoch'), state(7, [7]));
    room?.say(alerts(7, [8]));
    expect(heard).toEqual(['=7', '8']);
    expect(errors.map(({ code }) => code)).toEqual(['system_gap']);
  });
});

describe('a client that declines `system`', () => {
  it('says so on every connection, and hears nothing of it', async () => {
    const { open, heard } = listening({ system: false });
    const [a, b] = [await open('price:A'), await open('trade:B')];
    expect([placeOf(a), placeOf(b)]).toEqual(['off', 'off']);
    a.say(...joinedSystem(5, [5]), alerts(5, [6]));
    expect(heard).toEqual([]);
  });

  it('hears it when it subscribes to it', async () => {
    const { gateway, client, heard } = listening({ system: false });
    client.subscribe(SYSTEM);
    const socket = await gateway.socket();
    expect(socket.url.search).toBe('');
    socket.open();
    socket.say(WELCOME, ...joinedSystem(5, [5]), alerts(5, [6]));
    expect(heard).toEqual(['=5', '6']);
  });
});
