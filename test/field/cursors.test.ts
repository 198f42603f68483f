/** Where a client says that it goes on from: as databases, JSON and other lifetimes have it. */
import { describe, expect, it } from 'vitest';
import { GatewayError, type Since } from '../../worker/client/index.ts';
import { FakeGateway, gap, snapshot, subscribed, WELCOME } from '../client/support/fake-gateway.ts';

const ROOM = 'trade:A';

const USABLE: readonly (readonly [string, Since, string])[] = [
  ['numbers', { epoch: 3, seq: 7 }, '3:7'],
  ['bigints', { epoch: 1_703_123_456_789n, seq: 7n }, '1703123456789:7'],
  ['texts', { epoch: '1703123456789', seq: '7' }, '1703123456789:7'],
  ['a number and a text', { epoch: 3, seq: '007' }, '3:7'],
  ['one text', '3:7', '3:7'],
  ["a database's own numbers", { epoch: { toString: () => '3' } as never, seq: 7 }, '3:7'],
];

const UNUSABLE = [
  ['an object without its numbers', {}],
  ['a number alone', 7],
  ['a text alone', '7'],
  ['a fraction', { epoch: 1, seq: 1.5 }],
  ['a negative number', { epoch: 1, seq: -1 }],
  ['a date', { epoch: new Date(0), seq: 1 }],
  ['null inside', { epoch: null, seq: 1 }],
  ['more than a number holds', { epoch: 1, seq: 2n ** 64n }],
  ['an empty text', { epoch: 1, seq: '' }],
  ['a text with a blank', { epoch: 1, seq: ' 7' }],
  ['a text with a line break', '3:7\n'],
  ['a number of 16 digits', { epoch: 1, seq: Number.MAX_SAFE_INTEGER }],
  ['no number', { epoch: 1, seq: Number.NaN }],
  ['without an end', { epoch: 1, seq: Number.POSITIVE_INFINITY }],
  ['digits of another script', { epoch: 1, seq: '٧' }],
  ['a list of them', [1, 7]],
  ['a truth', true],
  ['a symbol', Symbol('since')],
  ['a symbol inside', { epoch: Symbol('epoch'), seq: 7 }],
  ['an object without a text', { epoch: Object.create(null), seq: 7 }],
  ['a function', () => '1:7'],
] as const;

describe('a since', () => {
  it.each(USABLE)('of %s is coerced', async (_, since, expected) => {
    const gateway = new FakeGateway();
    const subscription = gateway.client().subscribe(ROOM, { since, onEvent: () => {} });
    const socket = await gateway.socket();
    expect(socket.url.searchParams.get('since')).toBe(expected);
    const [epoch, seq] = expected.split(':').map(Number) as [number, number];
    expect(subscription.cursor).toEqual({ epoch, seq });
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, seq, true, epoch));
    expect(socket.messages).toEqual([{ type: 'ack', room: ROOM, seq }]);
  });

  it.each([[null], [undefined]])('that is %s counts as not given', async (since) => {
    const gateway = new FakeGateway();
    gateway.client().subscribe(ROOM, { since });
    expect((await gateway.socket()).url.search).toBe('');
  });

  it.each(UNUSABLE)('that is %s is refused at once', (_, since) => {
    const client = new FakeGateway().client();
    expect(() => client.subscribe(ROOM, { since: since as Since })).toThrow(
      expect.objectContaining({ code: 'cursor_invalid', name: GatewayError.name }),
    );
    expect(client.status).toBe('idle');
  });
});

describe('a room whose epoch is older', () => {
  const AHEAD = { epoch: 9, seq: 3 };

  it('than the since of the caller is taken at its word: a gap and its snapshot are told', async () => {
    const gateway = new FakeGateway();
    const told: string[] = [];
    gateway.client().subscribe(ROOM, {
      since: AHEAD,
      onSnapshot: (_, { epoch, seq }) => told.push(`snapshot ${epoch}:${seq}`),
      onGap: ({ reason, from, to }) => told.push(`gap ${from}-${to} ${reason}`),
      onEvent: (_, { epoch, seq }) => told.push(`${epoch}:${seq}`),
    });
    const socket = await gateway.socket();
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 5, false, 2), gap(ROOM, 3, 5, 'epoch', 2));
    socket.say(snapshot(ROOM, 5, [5], 2));
    socket.say({ type: 'events', room: ROOM, after: 5, events: [{ seq: 6, event: {} }] });
    expect(told).toEqual(['gap 3-5 epoch', 'snapshot 2:5', '2:6']);
  });

  it('than before is ignored at first, asked again, and then taken at its word', async () => {
    const gateway = new FakeGateway();
    const told: string[] = [];
    const errors: string[] = [];
    const client = gateway.client();
    client.on('error', ({ code }) => errors.push(code));
    client.subscribe(ROOM, {
      onSnapshot: (_, { epoch, seq }) => told.push(`snapshot ${epoch}:${seq}`),
      onGap: ({ reason }) => told.push(`gap ${reason}`),
    });
    (await gateway.socket()).join(ROOM, 3, 9);
    const goBack = async () => {
      (await gateway.socket()).breakOff();
      await gateway.clock.elapse(2_000);
      const socket = await gateway.socket();
      socket.open();
      socket.say(WELCOME, subscribed(ROOM, 5, false, 2), gap(ROOM, 3, 5, 'epoch', 2));
      socket.say(snapshot(ROOM, 5, [], 2));
    };
    await goBack();
    expect(told).toEqual(['snapshot 9:3']);
    expect(errors).toEqual(['epoch_older']);
    // Nothing better comes, so the client comes back by itself.
    const { length } = gateway.sockets;
    await gateway.clock.elapse(12_000);
    expect(gateway.sockets.length).toBe(length + 1);
    await goBack();
    expect(told).toEqual(['snapshot 9:3', 'gap epoch', 'snapshot 2:5']);
  });
});
