/** A session of a relay that needs all that may be kept of a socket which sleeps, in workerd. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { MAX_ROOMS } from '../../worker/protocol/messages.ts';
import { MAX_ATTACHMENT_BYTES } from '../../worker/room/session/attachment.ts';
import { WINDOW_CHARACTERS } from '../../worker/room/session/output/window.ts';
import { type Client, connectRelay, eventsOf, tokenFor } from './support/connect.ts';
import { publishWithoutKafka } from './support/publish.ts';

/** The most that a token may grant: a hundred rooms, in 4 KiB. */
const GRANTS = Array.from({ length: 100 }, (_, index) => `desk-${index}`.padEnd(40, 'x'));
const LARGE_ROOM = 'price:F';
const NAMES = [
  LARGE_ROOM,
  ...Array.from({ length: MAX_ROOMS - 1 }, (_, index) => `trade:F${index}`),
];
const LARGE = 60_000;
const LARGE_EVENTS = Math.ceil(WINDOW_CHARACTERS / LARGE);
const TIMEOUT_MS = 60_000;

const largePrice = {
  type: 'price_update',
  symbol: LARGE_ROOM.slice('price:'.length),
  data: { price: 1, note: 'x'.repeat(LARGE) },
  timestamp: 1,
};
const trade = (room: string) => ({
  type: 'trade_notification',
  symbol: room.slice('trade:'.length),
  data: { tradeId: 't', price: 1, amount: 1, side: 'buy' },
  timestamp: 1,
});
const say = ({ socket }: Client, message: object) => socket.send(JSON.stringify(message));

it('with 4 KiB of grants and all its rooms behind a full window goes on after a sleep', {
  timeout: TIMEOUT_MS,
}, async () => {
  const client = await connectRelay('/v1/ws?system=off', await tokenFor('full', { rooms: GRANTS }));
  say(client, { type: 'subscribe', rooms: NAMES.map((room) => ({ room })) });
  const answered = () =>
    client.frames.filter(({ type }) => type === 'subscribed' || type === 'error').length;
  await expect.poll(answered, { timeout: TIMEOUT_MS }).toBe(MAX_ROOMS);
  const refusals = client.frames.filter(({ type }) => type === 'error');
  expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['rooms_too_many']));
  const rooms = client.frames.flatMap(({ type, room }) =>
    type === 'subscribed' ? [String(room)] : [],
  );
  expect(rooms.length).toBeGreaterThan(MAX_ROOMS / 2);

  // An ack turns the window on. Then one room fills it, and all rooms have to wait.
  say(client, { type: 'ack', room: LARGE_ROOM, seq: 0 });
  for (let sent = 0; sent < LARGE_EVENTS; sent++) {
    await publishWithoutKafka('price.updates', [largePrice]);
    await client.events(sent + 1);
  }
  const later = rooms.filter((room) => room !== LARGE_ROOM);
  await publishWithoutKafka(
    'trade.notifications',
    later.map((room) => trade(room)),
  );
  const [, place] = /home=([a-z]+\.\d+)\./.exec(String(client.frames[0]?.home)) ?? [];
  const relay = env.ROOM.getByName(`relay ${place}`);
  const kept = () =>
    runInDurableObject(relay, (_, state) =>
      state.getWebSockets().map((socket) => String(socket.deserializeAttachment()).length),
    );
  await expect
    .poll(async () => Math.max(...(await kept())))
    .toBeGreaterThan(MAX_ATTACHMENT_BYTES / 2);
  expect(client.frames.filter(({ type }) => type === 'events')).toHaveLength(LARGE_EVENTS);

  await evictDurableObject(relay, { webSockets: 'hibernate' });
  say(client, { type: 'ack', room: LARGE_ROOM, seq: LARGE_EVENTS });
  await client.events(LARGE_EVENTS + later.length);
  const given = client.frames.flatMap((frame) =>
    frame.type === 'events' ? eventsOf(frame).map(({ seq }) => `${frame.room} ${seq}`) : [],
  );
  expect(given.slice(LARGE_EVENTS).sort()).toEqual(later.map((room) => `${room} 1`).sort());
});
