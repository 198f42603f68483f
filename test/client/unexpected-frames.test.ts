/** What comes over a socket though no gateway sends it: nothing of it ends the client's process. */
import { expect, it } from 'vitest';
import { FakeGateway, numbered, WELCOME } from './support/fake-gateway.ts';

const ROOM = 'price:A';
const events = [numbered(2)];

it.each<[string, object]>([
  ['events of no room', { type: 'events', after: 1, events }],
  ['events of a room that is null', { type: 'events', room: null, after: 1, events }],
  ['events of a room that is a number', { type: 'events', room: 5, after: 1, events }],
  ['a snapshot of no room', { type: 'snapshot', epoch: 1, seq: 2, events }],
  ['subscribed to no room', { type: 'subscribed', epoch: 1, seq: 2, recovered: false }],
  ['a gap of a room that is a list', { type: 'gap', room: [], epoch: 1, from: 1, to: 2 }],
])('%s is told, and the stream goes on', async (_, frame) => {
  const gateway = new FakeGateway();
  const client = gateway.client();
  const codes: string[] = [];
  const told: number[] = [];
  client.on('error', ({ code }) => codes.push(code));
  client.subscribe(ROOM, { onEvent: (_event, { seq }) => told.push(seq) });
  const socket = await gateway.socket();
  socket.join(ROOM, 1);
  socket.say(frame);
  expect(codes).toEqual(['frame_invalid']);
  socket.say({ type: 'events', room: ROOM, after: 1, events });
  expect(told).toEqual([2]);
});

it.each<[string, object]>([
  ['a welcome with nulls', { type: 'welcome', limits: null, home: null, notices: null }],
  ['a welcome of other types', { type: 'welcome', limits: 'none', home: 7, notices: 'x' }],
  ['an error of nothing', { type: 'error' }],
  ['an error of nulls', { type: 'error', id: null, code: null, message: null, room: null }],
  ['a type of every object', { type: 'toString' }],
  ['a list', []],
])('%s throws nowhere', async (_, frame) => {
  const gateway = new FakeGateway();
  const client = gateway.client();
  client.on('error', () => {});
  client.subscribe(ROOM);
  const socket = await gateway.socket();
  socket.open();
  expect(() => socket.say(frame, WELCOME, frame)).not.toThrow();
});

it.each([
  ['no text', undefined],
  ['null', null],
  ['a number', 7],
  ['half of a surrogate pair', 'price:\ud800'],
  ['nothing', ''],
  ['a way up', '..'],
  ['a symbol', Symbol('room')],
])('a room that is %s is told, and ends nothing else', async (_, room) => {
  const gateway = new FakeGateway();
  gateway.answer = { status: 400, code: 'room_invalid' };
  const client = gateway.client();
  const codes: string[] = [];
  client.on('error', ({ code }) => codes.push(code));
  try {
    client.subscribe(room as string);
    for (const socket of gateway.sockets) socket.breakOff();
    await gateway.clock.elapse(1);
    gateway.sockets.at(-1)?.breakOff();
    await gateway.clock.elapse(1);
  } catch (error) {
    codes.push((error as { code: string }).code);
  }
  expect(codes).toHaveLength(1);
  expect(codes[0]).toMatch(/^(room_invalid|address_invalid)$/);
});
