/** The times of events, as handlers and loops are given them. */
import { describe, expect, it } from 'vitest';
import {
  events,
  FakeGateway,
  numbered,
  snapshot,
  subscribed,
  WELCOME,
} from './support/fake-gateway.ts';

const ROOM = 'price:A';
const TIMES = [1_700_000_000_000, null, 1_700_000_000_002, 1_700_000_000_001];
const URL_WITH_TRACE = 'https://gateway.test/base?trace=on';

describe('R15: a client whose url says trace=on', () => {
  it.each([
    ['room', '/base/v1/rooms/price%3AA'],
    ['relay', '/base/v1/ws'],
  ] as const)('asks its %s for it, each time that it connects', async (transport, path) => {
    const gateway = new FakeGateway();
    const client = gateway.client({ url: URL_WITH_TRACE, transport });
    client.subscribe(ROOM);
    const socket = await gateway.socket();
    socket.breakOff();
    await gateway.clock.elapse(1_000);
    for (const { url } of [socket, await gateway.socket()]) {
      expect([url.pathname, url.searchParams.get('trace')]).toEqual([path, 'on']);
    }
  });

  it('passes on the times of an event as they came, and of that event alone', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client({ url: URL_WITH_TRACE });
    const told: unknown[] = [];
    client.on('price_update', (_, { seq, times }) => told.push(['on', seq, times]));
    const subscription = client.subscribe(ROOM, {
      onEvent: (_, { seq, times }) => told.push(['room', seq, times]),
    });
    const loop = subscription[Symbol.asyncIterator]();
    const socket = await gateway.socket();
    socket.open();
    socket.say(WELCOME, subscribed(ROOM, 5, false), snapshot(ROOM, 5, [5]));
    const timed = { ...numbered(6), times: TIMES };
    socket.say({ ...events(ROOM, 5, []), events: [timed, numbered(7)] });
    for (const reader of ['on', 'room']) {
      expect(told.filter((one) => Array.isArray(one) && one[0] === reader)).toEqual([
        [reader, 5, undefined],
        [reader, 6, TIMES],
        [reader, 7, undefined],
      ]);
    }
    expect((await loop.next()).value?.times).toBeUndefined();
    expect((await loop.next()).value?.times).toEqual(TIMES);
  });
});
