/** What subscriptions are told, against a gateway that is played by hand. */
import { describe, expect, it } from 'vitest';
import type {
  GatewayClient,
  GatewayClientOptions,
  SubscribeOptions,
} from '../../worker/client/index.ts';
import { MAX_BUFFERED_EVENTS } from '../../worker/client/subscription/reader/event-buffer.ts';
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

const ROOM = 'price:A';
/** The id of the first request over a socket. */
const ID = '1';

/** A subscription that writes down what it is told: `s5 [3 4] 6 gap(6-9 trimmed)`. */
function reader(client: GatewayClient, options: SubscribeOptions<object> = {}) {
  const told: string[] = [];
  const subscription = client.subscribe<string, object>(ROOM, {
    onEvent: (_, { seq, epoch }) => told.push(epoch === 1 ? `${seq}` : `${epoch}:${seq}`),
    onSnapshot: (_, { seq }) => told.push(`s${seq}`),
    onGap: ({ from, to, reason }) => told.push(`gap(${from}-${to} ${reason})`),
    ...options,
  });
  return { told, subscription };
}

async function start(
  options: SubscribeOptions<object> = {},
  more: Partial<GatewayClientOptions> = {},
) {
  const gateway = new FakeGateway();
  const client = gateway.client(more);
  const errors: string[] = [];
  client.on('error', ({ code }) => errors.push(code));
  const made = reader(client, options);
  const socket = await gateway.socket();
  return { gateway, client, socket, errors, ...made };
}

async function joined(options: SubscribeOptions<object> = {}) {
  const made = await start(options);
  made.socket.join(ROOM, 5);
  return made;
}

const requests = (socket: FakeSocket) => socket.messages.filter(({ type }) => type === 'subscribe');
const acks = (socket: FakeSocket) =>
  socket.messages.filter(({ type }) => type === 'ack').map(({ seq }) => seq);

describe('the cursor', () => {
  it('drops what came before and cuts what overlaps', async () => {
    const { socket, told, subscription } = await joined();
    socket.say(events(ROOM, 5, [6, 7]), events(ROOM, 5, [6, 7]), events(ROOM, 6, [7, 8]));
    expect(told).toEqual(['s5', '6', '7', '8']);
    expect(subscription.duplicates).toBe(3);
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 8 });
  });

  it('takes a number that is missing inside a frame for conflated', async () => {
    const { socket, told } = await joined();
    socket.say(events(ROOM, 5, [7, 9]), events(ROOM, 9, [10]));
    expect(told).toEqual(['s5', '7', '9', '10']);
    expect(requests(socket)).toEqual([]);
  });

  it('at a hole asks for what is missing, over the same socket, and delivers nothing twice', async () => {
    const { socket, told } = await joined();
    socket.say(events(ROOM, 8, [9]), events(ROOM, 9, [10]));
    expect(requests(socket)).toEqual([
      { type: 'subscribe', id: ID, room: ROOM, since: { epoch: 1, seq: 5 } },
    ]);
    socket.say(subscribed(ROOM, 10, true, 1, ID), events(ROOM, 5, [6, 7, 8, 9, 10]));
    expect(told).toEqual(['s5', '6', '7', '8', '9', '10']);
  });

  it('at a hole right after its `since` was recovered asks too', async () => {
    const { socket, told } = await start({ since: { epoch: 1, seq: 3 } });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 6, true), events(ROOM, 4, [5]));
    expect(requests(socket)).toMatchObject([{ since: { epoch: 1, seq: 3 } }]);
    socket.say(subscribed(ROOM, 6, true, 1, ID), events(ROOM, 3, [4, 5, 6]));
    expect(told).toEqual(['4', '5', '6']);
  });

  it('at a hole that asking does not close reports what is lost', async () => {
    const { socket, told } = await joined();
    socket.say(events(ROOM, 8, [9]), subscribed(ROOM, 9, true, 1, ID));
    socket.say(events(ROOM, 8, [9]));
    expect(told).toEqual(['s5', 'gap(5-8 lost)', '9']);
    expect(requests(socket)).toHaveLength(1);
  });

  it('at a hole that the room does not answer for comes back with its cursor', async () => {
    const { gateway, socket } = await joined();
    socket.say(events(ROOM, 8, [9]));
    await gateway.clock.elapse(10_500);
    expect((await gateway.socket()).url.searchParams.get('since')).toBe('1:5');
  });

  it('at a hole comes back with its cursor also when the room refuses to answer', async () => {
    const { gateway, socket } = await joined();
    socket.say(events(ROOM, 8, [9]));
    socket.say({ type: 'error', id: ID, code: 'message_invalid', message: '' });
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).url.searchParams.get('since')).toBe('1:5');
  });

  it('at a gap delivers it and the snapshot, and goes on from there', async () => {
    const { socket, told } = await joined();
    socket.say(gap(ROOM, 5, 20), snapshot(ROOM, 20, [18, 20]), events(ROOM, 20, [21]));
    expect(told).toEqual(['s5', 'gap(5-20 trimmed)', 's20', '21']);
  });

  it('reports a gap once, though the socket broke before its snapshot', async () => {
    const { gateway, socket, told } = await joined();
    socket.say(gap(ROOM, 5, 20));
    socket.breakOff();
    await gateway.clock.elapse(500);
    const next = await gateway.socket();
    expect(next.url.searchParams.get('since')).toBe('1:5');
    next.open();
    next.say(WELCOME, subscribed(ROOM, 30, false), gap(ROOM, 5, 30), snapshot(ROOM, 30, []));
    expect(told).toEqual(['s5', 'gap(5-30 trimmed)', 's30']);
  });

  it('is not moved by a `subscribed` without its snapshot', async () => {
    const { gateway, socket } = await start();
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 30, false));
    socket.breakOff();
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).url.search).toBe('');
  });

  it('begins anew in a greater epoch; a smaller one is ignored, and reported as an error', async () => {
    const { gateway, socket, told, errors } = await joined();
    socket.say(gap(ROOM, 5, 2, 'epoch', 2), snapshot(ROOM, 2, [2], 2), events(ROOM, 2, [3]));
    expect(told).toEqual(['s5', 'gap(5-2 epoch)', 's2', '2:3']);
    socket.say(snapshot(ROOM, 9, [9], 1), events(ROOM, 9, [10]));
    socket.breakOff();
    await gateway.clock.elapse(500);
    const next = await gateway.socket();
    next.open();
    next.say(WELCOME, subscribed(ROOM, 9, false, 1), gap(ROOM, 3, 9, 'epoch', 1));
    next.say(snapshot(ROOM, 9, [9], 1), events(ROOM, 9, [10]));
    expect(told).toHaveLength(4);
    expect(errors).toEqual(['epoch_older']);
    next.say(gap(ROOM, 3, 8, 'epoch', 3), snapshot(ROOM, 8, [], 3), events(ROOM, 8, [9]));
    expect(told.slice(4)).toEqual(['gap(3-8 epoch)', 's8', '3:9']);
  });

  it('goes over to a new epoch where its number holds in it, without a gap', async () => {
    const { gateway, socket, told, subscription, errors } = await start({
      since: { epoch: 1, seq: 0 },
    });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 2, true, 2));
    expect(subscription.cursor).toEqual({ epoch: 2, seq: 0 });
    expect(acks(socket)).toEqual([0]);
    socket.say(events(ROOM, 0, [1, 2]), events(ROOM, 2, [3]));
    expect(told).toEqual(['2:1', '2:2', '2:3']);
    expect(requests(socket)).toEqual([]);
    socket.breakOff();
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).url.searchParams.get('since')).toBe('2:3');
    expect(errors).toEqual([]);
  });

  it('stays out of a new epoch that another reader goes over to', async () => {
    const { client, socket, told } = await start({ since: { epoch: 1, seq: 4 } });
    const early = reader(client, { since: { epoch: 1, seq: 0 } });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 4, true));
    socket.say(subscribed(ROOM, 2, true, 2, 'subscribe'), events(ROOM, 0, [1, 2]));
    expect(early.told).toEqual(['2:1', '2:2']);
    expect(told).toEqual(['gap(4-0 epoch)', '2:1', '2:2']);
  });

  it('goes back when it is ahead of the room, and reports that', async () => {
    const { client, socket, told, subscription } = await start({ since: { epoch: 1, seq: 6 } });
    const further = reader(client, { since: { epoch: 1, seq: 9 } });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 1, false), gap(ROOM, 6, 1, 'epoch'));
    socket.say(snapshot(ROOM, 1, [1]));
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 1 });
    expect(requests(socket)).toHaveLength(1);
    socket.say(subscribed(ROOM, 1, false, 1, ID), gap(ROOM, 6, 1, 'epoch'));
    socket.say(snapshot(ROOM, 1, [1]), events(ROOM, 1, [2, 3]));
    expect(told).toEqual(['gap(6-1 epoch)', 's1', '2', '3']);
    expect(further.told).toEqual(['gap(9-1 epoch)', 's1', '2', '3']);
  });

  it('begins where it is told to, by `since`', async () => {
    const { socket, told, subscription } = await start({ since: { epoch: 1, seq: 3 } });
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 3 });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 5, true), events(ROOM, 3, [4, 5]), events(ROOM, 5, [6]));
    expect(told).toEqual(['4', '5', '6']);
  });

  it('stays at its `since` when it is recovered, though `subscribed` names the head (R5)', async () => {
    const { gateway, socket, subscription, told } = await start({ since: { epoch: 1, seq: 3 } });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 9, true));
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 3 });
    socket.say(events(ROOM, 3, [4]));
    socket.breakOff();
    await gateway.clock.elapse(500);
    expect((await gateway.socket()).url.searchParams.get('since')).toBe('1:4');
    expect(told).toEqual(['4']);
  });
});

describe('acks', () => {
  it('come at once and after each half window', async () => {
    const { socket } = await joined();
    expect(acks(socket)).toEqual([5]);
    let seq = 5;
    let length = 0;
    for (let frames = 0; frames < 40; frames++) {
      const frame = events(ROOM, seq, [++seq]);
      length += JSON.stringify(frame).length;
      socket.say(frame);
    }
    const expected = Math.floor(length / (WINDOW / 2));
    expect(acks(socket).length - 1).toBeGreaterThanOrEqual(expected - 2);
    expect(acks(socket).length - 1).toBeLessThanOrEqual(expected);
  });

  it('name what has arrived, which the head that `subscribed` tells has not (R5, R8)', async () => {
    const { socket } = await start({ since: { epoch: 1, seq: 3 } });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 90, true));
    expect(acks(socket)).toEqual([3]);
    const late = await start();
    late.socket.open();
    late.socket.say(WELCOME, subscribed(ROOM, 90, false));
    expect(acks(late.socket)).toEqual([]);
    late.socket.say(snapshot(ROOM, 90, []));
    expect(acks(late.socket)).toEqual([90]);
  });

  it('are not sent to a gateway that names no window', async () => {
    const { socket } = await start();
    socket.open();
    socket.say({ type: 'welcome', protocol: 1, limits: { messageLength: 4096 } });
    socket.say(subscribed(ROOM, 5, false), snapshot(ROOM, 5, []));
    expect(socket.sent).toEqual([]);
  });
});

describe('several subscriptions to one room', () => {
  it('share a connection, at the rate of the fastest', async () => {
    const { gateway, client, socket } = await joined({ maxRate: 2 });
    const fast = reader(client, { maxRate: 10, since: { epoch: 1, seq: 5 } });
    await settle();
    expect(gateway.sockets).toHaveLength(1);
    expect(requests(socket)).toMatchObject([{ maxRate: 10, since: { epoch: 1, seq: 5 } }]);
    socket.say(subscribed(ROOM, 5, true, 1, ID));
    fast.subscription.unsubscribe();
    expect(requests(socket)).toMatchObject([{}, { maxRate: 2 }]);
    socket.say(subscribed(ROOM, 5, true, 1, ID));
    reader(client);
    expect(requests(socket)[2]).not.toHaveProperty('maxRate');
  });

  it('a late one gets its snapshot; the others lose nothing by it', async () => {
    const { client, socket, told } = await joined();
    const late = reader(client);
    expect(requests(socket)).toEqual([{ type: 'subscribe', id: ID, room: ROOM }]);
    socket.say(subscribed(ROOM, 7, false, 1, ID), snapshot(ROOM, 7, [7]));
    expect(late.told).toEqual(['s7']);
    expect(requests(socket)[1]).toMatchObject({ since: { epoch: 1, seq: 5 } });
    socket.say(subscribed(ROOM, 8, true, 1, ID), events(ROOM, 5, [6, 7, 8]));
    expect(told).toEqual(['s5', '6', '7', '8']);
    expect(late.told).toEqual(['s7', '8']);
  });

  it('one from further back gets what it missed, the others nothing again', async () => {
    const { client, socket, told } = await joined();
    const late = reader(client, { since: { epoch: 1, seq: 2 } });
    socket.say(subscribed(ROOM, 6, true, 1, ID), events(ROOM, 2, [3, 4, 5, 6]));
    expect(told).toEqual(['s5', '6']);
    expect(late.told).toEqual(['3', '4', '5', '6']);
  });

  it('a gap of one from further back is not reported to the others', async () => {
    const { client, socket, told } = await joined();
    const late = reader(client, { since: { epoch: 1, seq: 1 } });
    socket.say(subscribed(ROOM, 8, false, 1, ID), gap(ROOM, 1, 8), snapshot(ROOM, 8, []));
    expect(late.told).toEqual(['gap(1-8 trimmed)', 's8']);
    socket.say(subscribed(ROOM, 9, true, 1, ID), events(ROOM, 5, [6, 7, 8, 9]));
    expect(told).toEqual(['s5', '6', '7', '8', '9']);
    expect(late.told).toEqual(['gap(1-8 trimmed)', 's8', '9']);
  });

  it('the last to leave closes the connection', async () => {
    const { gateway, client, socket, subscription } = await joined();
    const other = reader(client, { since: { epoch: 1, seq: 5 } });
    subscription.unsubscribe();
    expect(socket.isClosed).toBe(false);
    expect(subscription.status).toMatchObject({ state: 'stopped', code: 'closed' });
    other.subscription.unsubscribe();
    expect(socket.isClosed).toBe(true);
    expect(client.status).toBe('idle');
    expect(gateway.clock.pending).toBe(0);
  });
});

describe('handlers', () => {
  it('that throw or reject break nothing, and are reported as errors', async () => {
    const told: number[] = [];
    const { socket, errors, client } = await start({
      onEvent: (_, { seq }) => {
        told.push(seq);
        if (seq === 6) throw new Error('mine');
        return seq === 7 ? Promise.reject(new Error('mine too')) : undefined;
      },
    });
    client.on('price_update', () => {
      throw new Error('and mine');
    });
    socket.join(ROOM, 5);
    socket.say(events(ROOM, 5, [6, 7, 8]));
    await settle();
    expect(told).toEqual([6, 7, 8]);
    expect(errors).toEqual(Array(5).fill('handler_failed'));
  });

  it('may unsubscribe in the middle of a frame, and are called no more', async () => {
    const told: number[] = [];
    const { socket, subscription } = await start({
      onEvent: (_, { seq }) => {
        told.push(seq);
        if (seq === 6) subscription.unsubscribe();
      },
    });
    socket.join(ROOM, 5);
    socket.say(events(ROOM, 5, [6, 7]));
    expect(told).toEqual([6]);
    expect(subscription.cursor).toEqual({ epoch: 1, seq: 6 });
  });

  it('see the cursor of their own event', async () => {
    const seen: unknown[] = [];
    const { socket, subscription } = await start({
      onEvent: () => seen.push(subscription.cursor?.seq),
    });
    socket.join(ROOM, 5);
    socket.say(events(ROOM, 5, [6, 7]));
    expect(seen).toEqual([6, 7]);
  });

  it('get the events of a snapshot one by one where no handler takes it whole', async () => {
    const told: unknown[] = [];
    const gateway = new FakeGateway();
    gateway.client().subscribe(ROOM, {
      onEvent: (event, info) => told.push([event.data.price, info]),
    });
    const socket = await gateway.socket();
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 5, false), snapshot(ROOM, 5, [4]));
    expect(told).toEqual([[4, { room: ROOM, epoch: 1, seq: 4, snapshot: true }]]);
  });

  it('of an event type are called once, however many subscriptions there are', async () => {
    const { client, socket } = await joined();
    const prices: unknown[] = [];
    const off = client.on('price_update', ({ data }, { room }) => prices.push([room, data.price]));
    client.on('trade_notification', () => prices.push('no'));
    reader(client, { since: { epoch: 1, seq: 5 } });
    socket.say(subscribed(ROOM, 5, true, 1, ID), events(ROOM, 5, [6]));
    off();
    socket.say(events(ROOM, 6, [7]));
    expect(prices).toEqual([[ROOM, 6]]);
  });

  it('of `error` and `status` are not called for events of such a type', async () => {
    const { client, socket, told, errors } = await joined();
    const statuses: unknown[] = [];
    client.on('status', ({ state }) => statuses.push(state));
    const two = [numbered(6, 'error'), numbered(7, 'status')];
    socket.say({ type: 'events', room: ROOM, after: 5, events: two });
    expect(told).toEqual(['s5', '6', '7']);
    expect(errors).toEqual([]);
    expect(statuses).toEqual([]);
  });

  it('end with their signal, at once if it has ended already', async () => {
    const ending = new AbortController();
    const { socket, told } = await joined({ signal: ending.signal });
    ending.abort();
    expect(socket.isClosed).toBe(true);
    expect(told).toEqual(['s5']);
    const gateway = new FakeGateway();
    gateway.client().subscribe(ROOM, { signal: AbortSignal.abort() });
    await gateway.clock.elapse(60_000);
    expect(gateway.sockets).toHaveLength(0);
  });

  it('a parser that keeps digits gives its own values', async () => {
    const parse = (text: string) =>
      JSON.parse(text, (_, value, { source }: { source?: string } = {}) =>
        typeof value === 'number' ? { source, valueOf: () => Number(source) } : value,
      );
    const prices: unknown[] = [];
    const { socket } = await start({ onEvent: (event) => prices.push(event) }, { parse });
    socket.open();
    const event = '{"seq":6,"event":{"type":"price_update","data":{"price":45000.50}}}';
    socket.say(WELCOME, subscribed(ROOM, 5, false), snapshot(ROOM, 5, []));
    socket.say(`{"type":"events","room":"${ROOM}","after":5,"events":[${event}]}`);
    expect(prices).toMatchObject([{ data: { price: { source: '45000.50' } } }]);
  });
});

describe('a loop over a subscription', () => {
  async function looping() {
    const gateway = new FakeGateway();
    const client = gateway.client();
    const gaps: string[] = [];
    const subscription = client.subscribe(ROOM, {
      onGap: ({ from, to, reason }) => gaps.push(`${from}-${to} ${reason}`),
    });
    // The loop begins here; what takes from it later shares what it has.
    subscription[Symbol.asyncIterator]();
    const socket = await gateway.socket();
    socket.join(ROOM, 0);
    return { gateway, client, subscription, socket, gaps };
  }

  it('gets all since the beginning, and leaves the room when it is left', async () => {
    const { subscription, socket } = await looping();
    socket.say(events(ROOM, 0, [1, 2]));
    setImmediate(() => socket.say(events(ROOM, 2, [3])));
    const seqs: number[] = [];
    for await (const { seq, event } of subscription) {
      seqs.push(seq, Number(event.data.price));
      if (seq === 3) break;
    }
    expect(seqs).toEqual([1, 1, 2, 2, 3, 3]);
    expect(socket.isClosed).toBe(true);
  });

  it('that begins late begins with the state, and nothing was kept for it', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client();
    const gaps: string[] = [];
    const subscription = client.subscribe(ROOM, { onGap: ({ reason }) => gaps.push(reason) });
    const socket = await gateway.socket();
    socket.join(ROOM, 0);
    const count = MAX_BUFFERED_EVENTS + 20;
    for (let seq = 1; seq <= count; seq++) socket.say(events(ROOM, seq - 1, [seq]));
    expect(subscription.cursor).toEqual({ epoch: 1, seq: count });
    const taken = all(subscription);
    expect(requests(socket)).toEqual([{ type: 'subscribe', id: ID, room: ROOM }]);
    socket.say(subscribed(ROOM, count, false), snapshot(ROOM, count, [count]));
    socket.say(events(ROOM, count, [count + 1]));
    await settle();
    client.close();
    expect((await taken).map(({ seq, snapshot: isState }) => [seq, isState])).toEqual([
      [count, true],
      [count + 1, false],
    ]);
    expect(gaps).toEqual([]);
  });

  it('that is too slow for large events is bounded in characters too', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client();
    const subscription = client.subscribe(ROOM);
    subscription[Symbol.asyncIterator]();
    const socket = await gateway.socket();
    socket.join(ROOM, 0);
    const note = 'x'.repeat(1_000_000);
    for (let seq = 1; seq <= 20; seq++) {
      const event = { type: 'order_book_update', data: { note } };
      socket.say({ type: 'events', room: ROOM, after: seq - 1, events: [{ seq, event }] });
    }
    client.close();
    const taken = await all(subscription);
    expect(taken.map(({ seq }) => seq)).toEqual([14, 15, 16, 17, 18, 19, 20]);
    expect(taken[0]?.gap).toEqual({ epoch: 1, from: 0, to: 13, reason: 'overflow' });
  });

  it('gets a gap for what is missing, before what comes after it', async () => {
    const { subscription, socket, client } = await looping();
    socket.say(events(ROOM, 0, [1]), gap(ROOM, 1, 9), snapshot(ROOM, 9, [8]));
    client.close();
    const taken = [];
    for await (const { seq, gap: missing, snapshot: isState } of subscription) {
      taken.push([seq, missing?.reason, isState]);
    }
    expect(taken).toEqual([
      [1, undefined, false],
      [8, 'trimmed', true],
    ]);
  });

  it('that is too slow loses the oldest, and gets a gap; `onGap` is called once', async () => {
    const { subscription, socket, client, gaps } = await looping();
    const count = MAX_BUFFERED_EVENTS + 20;
    for (let seq = 1; seq <= count; seq++) socket.say(events(ROOM, seq - 1, [seq]));
    client.close();
    const taken = await all(subscription);
    expect(taken).toHaveLength(MAX_BUFFERED_EVENTS);
    expect(taken[0]).toMatchObject({ seq: 21, gap: { from: 0, to: 20, reason: 'overflow' } });
    expect(taken[1]).not.toHaveProperty('gap');
    expect(taken.at(-1)?.seq).toBe(count);
    expect(gaps).toEqual(['0-1 overflow']);
  });

  it('shares with another one, and both end when the client closes', async () => {
    const { subscription, socket, client } = await looping();
    const loops = [all(subscription), all(subscription)];
    await settle();
    socket.say(events(ROOM, 0, [1, 2, 3]));
    await settle();
    client.close();
    const taken = (await Promise.all(loops)).map((items) => items.map(({ seq }) => seq));
    expect(taken).toEqual([[1, 3], [2]]);
  });

  it('that waits is left at once', async () => {
    const { subscription, socket } = await looping();
    const iterator = subscription[Symbol.asyncIterator]();
    const waits = iterator.next();
    expect(await iterator.return?.()).toEqual({ value: undefined, done: true });
    expect(await waits).toEqual({ value: undefined, done: true });
    expect(socket.isClosed).toBe(true);
  });

  it('that is left gets nothing more', async () => {
    const { subscription, socket } = await looping();
    socket.say(events(ROOM, 0, [1, 2]));
    const iterator = subscription[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { seq: 1 } });
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  it('that begins when the room has refused throws as well', async () => {
    const gateway = new FakeGateway();
    const subscription = gateway.client().subscribe(ROOM);
    const socket = await gateway.socket();
    socket.join(ROOM, 0);
    socket.breakOff(4400, 'message_invalid');
    for (let loop = 0; loop < 2; loop++) {
      await expect(all(subscription)).rejects.toMatchObject({ code: 'message_invalid' });
    }
  });

  it('ends when the client closes, and throws when the room refuses for good', async () => {
    const { subscription, socket } = await looping();
    setImmediate(() => socket.breakOff(4400, 'message_invalid'));
    await expect(all(subscription)).rejects.toMatchObject({
      code: 'message_invalid',
      room: ROOM,
    });
  });
});

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}
