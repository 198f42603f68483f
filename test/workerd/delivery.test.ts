import { describe, expect, it } from 'vitest';
import guideEvents from '../fixtures/guide-events.json' with { type: 'json' };
import { type Client, connect, eventsOf, tokenFor } from './support/connect.ts';
import { publish, publishWithoutKafka } from './support/publish.ts';

/** The text of each event that a client got, as it stands in its frames. */
function eventTexts(client: Client): string[] {
  return client.texts.flatMap((text) =>
    [...text.matchAll(/\{"seq":\d+,"event":(.*?)\}(?=,\{"seq":|\]\}$)/gs)].map(
      ([, event = '']) => event,
    ),
  );
}

describe('an event', () => {
  it('R4: reaches its room, numbered, joined on to the cursor', async () => {
    const client = await connect('price:NUM');
    const [subscribed] = await client.received('subscribed');
    expect(subscribed).toMatchObject({ room: 'price:NUM', seq: 0, recovered: false });
    const value = { type: 'price_update', symbol: 'NUM', data: { price: 1 }, timestamp: 1 };
    await publishWithoutKafka('price.updates', [value, value]);
    await publishWithoutKafka('price.updates', [value]);
    expect(await client.events(3)).toEqual([
      { seq: 1, event: value },
      { seq: 2, event: value },
      { seq: 3, event: value },
    ]);
    let cursor = 0;
    for (const frame of await client.received('events')) {
      expect(frame.after).toBe(cursor);
      cursor = eventsOf(frame).at(-1)?.seq ?? 0;
    }
  });

  it('of a price reaches price_updates too, and no other symbol’s room', async () => {
    const [all, own, other] = [
      await connect('price_updates'),
      await connect('price:HERE'),
      await connect('price:THERE'),
    ];
    const value = (symbol: string) => ({
      type: 'price_update',
      symbol,
      data: { price: 1 },
      timestamp: 1,
    });
    await publishWithoutKafka('price.updates', [value('HERE'), value('THERE')]);
    const symbols = async (client: Client, count: number) =>
      (await client.events(count)).map(({ event }) => event.symbol);
    expect(await symbols(own, 1)).toEqual(['HERE']);
    expect(await symbols(other, 1)).toEqual(['THERE']);
    expect(await symbols(all, 2)).toEqual(['HERE', 'THERE']);
  });

  it('E2: keeps every byte of its source: digits, escapes, spaces, the order of keys', async () => {
    const client = await connect('price:BYTES');
    const data =
      '{ "note" : "\\u00e9\\ud83d\\ude80 \\/ é🚀", "price":45000.50,\n "volume":12345678901234567890, "low24h":"0.10", "x":1.0E+2,"y":[1.10 , 2] }';
    const values = [
      `{"type":"price_update","symbol":"BYTES","data":${data},"timestamp":1703123456789}`,
      // With what is dropped, so that the event has to be composed anew.
      `{"seq":99,"type":"price_update","room":"user:1","symbol":"BYTES","data":${data},"timestamp":1703123456789,"metadata":{"priority":"high","secret":1}}`,
    ];
    await publishWithoutKafka('price.updates', values);
    await client.events(2);
    expect(eventTexts(client)).toEqual([
      values[0],
      `{"type":"price_update","symbol":"BYTES","data":${data},"timestamp":1703123456789,"metadata":{"priority":"high"}}`,
    ]);
  });

  it('that brings its own seq is numbered by the room all the same', async () => {
    const client = await connect('price:OWN');
    const value =
      '{"type":"price_update","symbol":"OWN","data":{"price":1},"timestamp":1,"seq":77}';
    await publishWithoutKafka('price.updates', [value]);
    expect(await client.events(1)).toEqual([
      { seq: 1, event: { type: 'price_update', symbol: 'OWN', data: { price: 1 }, timestamp: 1 } },
    ]);
  });
});

describe('a personal trade', () => {
  const trade =
    '{"type":"trade_notification","symbol":"TAPE","userId":"u-1","data":{"tradeId":"t","price":45000.00,"amount":0.10,"side":"buy","txHash":"0xabc","fees":{"gas":"0.001"},"note":"mine"},"timestamp":1,"metadata":{"source":"s"}}';

  it('E3: is on the public tape without more than the trade, and whole for its user', async () => {
    const tape = await connect('trade:TAPE');
    const own = await connect('user:u-1', await tokenFor('u-1'));
    expect(await publishWithoutKafka('trade.notifications', [trade])).toMatchObject({
      accepted: 1,
    });
    await tape.events(1);
    await own.events(1);
    expect(eventTexts(tape)).toEqual([
      '{"type":"trade_notification","symbol":"TAPE","data":{"tradeId":"t","price":45000.00,"amount":0.10,"side":"buy"},"timestamp":1,"metadata":{"source":"s"}}',
    ]);
    expect(eventTexts(own)).toEqual([trade]);
  });

  it('is recognised by a userId inside its data as well', async () => {
    const tape = await connect('trade:TAPE-2');
    await publishWithoutKafka('trade.notifications', [
      '{"type":"trade_notification","symbol":"TAPE-2","data":{"userId":"u","tradeId":"t","price":1,"amount":1,"side":"sell"},"timestamp":1}',
    ]);
    await tape.events(1);
    expect(tape.texts.join()).not.toContain('userId');
  });

  it('without a user is public as a whole', async () => {
    const tape = await connect('trade:TAPE-3');
    const value =
      '{"type":"trade_notification","symbol":"TAPE-3","data":{"tradeId":"t","price":1,"amount":1,"side":"sell","txHash":"0x"},"timestamp":1}';
    await publishWithoutKafka('trade.notifications', [value]);
    await tape.events(1);
    expect(eventTexts(tape)).toEqual([value]);
  });
});

describe('an alert', () => {
  const alert = (userId?: string) => ({
    type: 'system_alert',
    userId,
    data: { level: 'info', title: 't', message: userId ?? 'all' },
    timestamp: 1,
  });

  it('with a userId reaches that user alone', async () => {
    const system = await connect('system');
    const user = await connect('user:u-7', await tokenFor('u-7'));
    const other = await connect('user:u-8', await tokenFor('u-8'));
    await publishWithoutKafka('system.alerts', [alert('u-7'), alert('u-8'), alert()]);
    expect((await user.events(1)).map(({ event }) => event.userId)).toEqual(['u-7']);
    expect((await other.events(1)).map(({ event }) => event.userId)).toEqual(['u-8']);
    expect(await system.events(1)).toMatchObject([{ event: { data: { message: 'all' } } }]);
    expect(system.texts.join()).not.toContain('u-7');
  });
});

describe('a notification', () => {
  it('E1, E3: reaches its target, without saying who that is', async () => {
    const token = await tokenFor('u-9', { rooms: ['trading-room-general'] });
    const user = await connect('user:u-9', token);
    const room = await connect('trading-room-general', token);
    const system = await connect('system');
    const value = (target: object, data: object) => ({ type: 'swap_completed', target, data });
    await publish([
      {
        topic: 'notifications',
        timestamp: 5,
        value: value({ type: 'user', id: 'u-9' }, { swapId: '1' }),
      },
      {
        topic: 'notifications',
        timestamp: 6,
        value: {
          ...value({ type: 'room', id: 'trading-room-general' }, { swapId: '2' }),
          category: 'trading',
        },
      },
      { topic: 'notifications', timestamp: 7, value: value({ type: 'all' }, { swapId: '3' }) },
    ]);
    expect(await user.events(1)).toMatchObject([
      { event: { type: 'swap_completed', data: { swapId: '1' }, timestamp: 5 } },
    ]);
    expect(await room.events(1)).toMatchObject([
      { event: { category: 'trading', data: { swapId: '2' }, timestamp: 6 } },
    ]);
    expect(await system.events(1)).toMatchObject([{ event: { data: { swapId: '3' } } }]);
    for (const client of [user, room, system]) {
      expect(client.texts.join()).not.toContain('target');
    }
  });
});

describe('the examples of the Server Push Notifications Guide', () => {
  it.each(guideEvents.map(({ topic, event }, index) => [index, topic, event] as const))(
    'event %i, of %s, is delivered with its data as it is',
    async (index, topic, event) => {
      const rooms = roomsOf(topic, event);
      expect(rooms).not.toEqual([]);
      const clients = await Promise.all(
        rooms.map(async (room) =>
          connect(room, await tokenFor('user-123', { rooms: ['trading-room-general'] })),
        ),
      );
      const answer = await publish([{ topic, value: event, offset: index }], `guide-${index}`);
      expect(answer).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
      for (const [position, client] of clients.entries()) {
        const [received] = await client.events(1);
        const { type, timestamp } = event;
        expect(received?.event).toMatchObject({ type, timestamp });
        if (rooms[position] !== 'trade:BTC-USDC') {
          expect(received?.event.data).toEqual(event.data);
        }
      }
    },
  );

  interface GuideEvent {
    readonly type: string;
    readonly symbol?: string;
    readonly userId?: string;
    readonly target?: { readonly type: string; readonly id: string };
  }

  function roomsOf(topic: string, { symbol, userId, target }: GuideEvent): string[] {
    switch (topic) {
      case 'price.updates':
        return [`price:${symbol}`, 'price_updates'];
      case 'order.book.updates':
        return [`orderbook:${symbol}`];
      case 'trade.notifications':
        return [`trade:${symbol}`, `user:${userId}`];
      case 'portfolio.updates':
        return [`user:${userId}`];
      case 'system.alerts':
        return ['system'];
      default:
        return [target?.type === 'user' ? `user:${target.id}` : (target?.id ?? '')];
    }
  }
});
