/**
 * Whatever happens between a room and a client, what a subscription is told adds up to the room's
 * log: every event once and in order, and every loss as a gap.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Gap, GatewayClient } from '../../worker/client/index.ts';
import type { Cursor } from '../../worker/protocol/frames.ts';
import { settle } from '../support/virtual-clock.ts';
import { FakeGateway } from './support/fake-gateway.ts';
import { ModelRoom, range } from './support/model-room.ts';

const ROOM = 'price:A';
const RUNS = 400;

type Told = ({ readonly kind: 'event' | 'snapshot' } & Cursor) | ({ readonly kind: 'gap' } & Gap);

const small = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('append' as const), count: small }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('flush' as const), count: fc.constant(1) }) },
  fc.record({ op: fc.constant('conflate' as const), count: fc.integer({ min: 2, max: 3 }) }),
  fc.record({ op: fc.constant('lose' as const), count: fc.constant(1) }),
  fc.record({ op: fc.constant('repeat' as const), count: small }),
  fc.record({ op: fc.constant('trim' as const), count: fc.nat(4) }),
  fc.record({ op: fc.constant('fallOff' as const), count: fc.constant(0) }),
  fc.record({ op: fc.constant('epoch' as const), count: fc.nat(9) }),
  { weight: 2, arbitrary: fc.record({ op: fc.constant('cut' as const), count: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('pass' as const), count: fc.nat(3_000) }) },
  fc.record({ op: fc.constant('answer' as const), count: fc.constant(0) }),
  fc.record({ op: fc.constant('read' as const), count: fc.nat(8) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function read(client: GatewayClient, since?: Cursor) {
  const told: Told[] = [];
  client.subscribe(ROOM, {
    onEvent: (_, { epoch, seq }) => told.push({ kind: 'event', epoch, seq }),
    onSnapshot: (_, { epoch, seq }) => told.push({ kind: 'snapshot', epoch, seq }),
    onGap: ({ room: _, ...rest }) => told.push({ kind: 'gap', ...rest }),
    ...(since && { since }),
  });
  return { told, since };
}

async function play(steps: readonly Step[]) {
  const gateway = new FakeGateway();
  const room = new ModelRoom(ROOM);
  gateway.onSocket = (socket) => setImmediate(() => !socket.isClosed && room.accept(socket));
  const client = gateway.client();
  const readers = [read(client)];
  for (const { op, count } of steps) {
    if (op === 'append') room.append(count);
    if (op === 'flush') room.flush();
    if (op === 'conflate') room.flush(count);
    if (op === 'lose') room.flush(1, true);
    if (op === 'repeat') room.repeat(count);
    if (op === 'trim') room.trim(count);
    if (op === 'fallOff') room.fallOff();
    if (op === 'epoch') room.beginEpoch(count);
    if (op === 'cut') room.cut();
    if (op === 'answer') room.answer();
    if (op === 'pass') await gateway.clock.elapse(count);
    if (op === 'read') {
      const seq = Math.max(0, room.head - count);
      readers.push(read(client, count === 0 ? undefined : { epoch: room.epoch, seq }));
    }
    await settle();
  }
  // All is well from now on.
  room.append(1);
  for (let turn = 0; turn < 12; turn++) {
    await gateway.clock.elapse(4_000);
    room.answer();
    room.flush();
    await settle();
  }
  client.close();
  return { room, readers, pending: gateway.clock.pending };
}

/** Walks what a reader was told, and complains of what does not add up. */
function complaints(told: readonly Told[], room: ModelRoom, since: Cursor | undefined): string[] {
  const found: string[] = [];
  let at = since;
  for (const item of told) {
    const where = `${JSON.stringify(item)} at ${JSON.stringify(at)}`;
    switch (item.kind) {
      case 'snapshot':
        if (at !== undefined && (at.epoch !== item.epoch || at.seq !== item.seq)) found.push(where);
        at = { epoch: item.epoch, seq: item.seq };
        break;
      case 'gap':
        if (at?.seq !== item.from || item.epoch < at.epoch) found.push(where);
        if (item.epoch === at?.epoch && item.to <= at.seq) found.push(where);
        at = { epoch: item.epoch, seq: item.to };
        break;
      case 'event': {
        const { epoch, seq } = item;
        if (!at || !room.holds(at, epoch) || seq <= at.seq) found.push(where);
        const silent = range(at?.seq ?? 0, seq - 1).filter(
          (missing) => !room.conflated.has(`${epoch}:${missing}`),
        );
        if (silent.length > 0) found.push(`${where}: nothing told of ${silent}`);
        at = { epoch, seq };
      }
    }
  }
  if (at?.epoch !== room.epoch || at.seq !== room.head) {
    found.push(`ends at ${JSON.stringify(at)}, not at ${room.epoch}:${room.head}`);
  }
  return found;
}

test('what is told is the log without what gaps and conflation name: once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { room, readers, pending } = await play(steps);
      for (const { told, since } of readers) {
        const found = complaints(told, room, since);
        expect(found, JSON.stringify(told)).toEqual([]);
      }
      expect(pending).toBe(0);
    }),
    { numRuns: RUNS },
  );
});
