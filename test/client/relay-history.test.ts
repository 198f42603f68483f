/**
 * Whatever happens between a relay and a client of many rooms, what each subscription is told adds up to
 * its room's log, the relay has the rooms that are read and no others, and no window leaks.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle } from '../support/virtual-clock.ts';
import { FakeGateway } from './support/fake-gateway.ts';
import { ModelRelay } from './support/model-relay.ts';
import { complaints, type Listening, listen } from './support/told.ts';

const RUNS = 400;
const ROOMS = ['price:A', 'trade:B', 'price:C', 'user:d'];

const OPS = {
  append: 8,
  flush: 8,
  conflate: 1,
  lose: 1,
  trim: 1,
  epoch: 1,
  cut: 2,
  pass: 3,
  obey: 6,
  answer: 6,
  refuse: 1,
  join: 4,
  resume: 2,
  leave: 3,
  remount: 2,
} as const;
type Op = keyof typeof OPS;

const step = fc.record({
  op: fc.oneof(
    ...Object.entries(OPS).map(([op, weight]) => ({ weight, arbitrary: fc.constant(op as Op) })),
  ),
  which: fc.nat(7),
  count: fc.nat(6),
  /** Whether the turn goes on with the next step. */
  isHeld: fc.boolean(),
});
const history = fc.array(step, { minLength: 10, maxLength: 60 });
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function play(steps: readonly Step[]) {
  const gateway = new FakeGateway();
  const relay = new ModelRelay();
  gateway.onSocket = (socket) => setImmediate(() => !socket.isClosed && relay.accept(socket));
  const client = gateway.client({ transport: 'relay' });
  const reading: Listening[] = [];
  const left: Listening[] = [];
  const roomAt = (which: number) => ROOMS[which % ROOMS.length] ?? '';
  const join = (which: number) => reading.push(listen(client, roomAt(which)));
  const leave = (which: number) => {
    const [gone] = reading.splice(which % Math.max(1, reading.length), 1);
    gone?.subscription.unsubscribe();
    if (gone) left.push(gone);
    return gone;
  };
  const run: Readonly<Record<Op, (step: Step) => unknown>> = {
    append: ({ which, count }) => relay.logOf(roomAt(which)).append(count),
    flush: () => relay.flush(),
    conflate: ({ count }) => relay.flush(1 + (count % 3)),
    lose: () => relay.flush(1, true),
    trim: ({ which, count }) => relay.logOf(roomAt(which)).trim(count),
    epoch: ({ which, count }) => relay.beginEpoch(roomAt(which), count),
    cut: () => relay.cut(),
    pass: ({ count }) => gateway.clock.elapse(count * 500),
    obey: () => relay.obey(),
    answer: ({ which }) => relay.answer(which),
    refuse: ({ which }) => relay.refuse(which),
    join: ({ which }) => join(which),
    resume: ({ which, count }) => {
      const { epoch, head } = relay.logOf(roomAt(which));
      reading.push(listen(client, roomAt(which), { epoch, seq: Math.max(0, head - count) }));
    },
    leave: ({ which }) => leave(which),
    remount: ({ which }) => {
      const gone = leave(which);
      if (gone) reading.push(listen(client, gone.subscription.room));
    },
  };
  join(0);
  for (const each of steps) {
    await run[each.op](each);
    if (!each.isHeld) await settle();
  }
  // All is well from now on.
  join(0);
  for (const room of ROOMS) relay.logOf(room).append(1);
  for (let turn = 0; turn < 20; turn++) {
    await gateway.clock.elapse(4_000);
    relay.obey();
    relay.answerAll();
    relay.flush();
    await settle();
  }
  const { status } = client;
  const wanted = new Set(reading.map(({ subscription }) => subscription.room));
  const rooms = { wanted: [...wanted].sort(), had: relay.rooms };
  client.close();
  return { relay, reading, left, status, rooms, pending: gateway.clock.pending };
}

test('what is delivered is the log of each room: once, in order, and of no other room', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const { relay, reading, left, status, rooms, pending } = await play(steps);
      for (const reader of [...reading, ...left]) {
        const log = relay.logOf(reader.subscription.room);
        const found = complaints(reader, log, left.includes(reader));
        expect(found, `${reader.subscription.room} ${JSON.stringify(reader.told)}`).toEqual([]);
      }
      expect(rooms.had).toEqual(rooms.wanted);
      expect(relay.complaints).toEqual([]);
      expect(status).toBe('open');
      expect(pending).toBe(0);
    }),
    { numRuns: RUNS },
  );
});
