/**
 * Whatever happens between a room and a client, what a subscription is told adds up to the room's
 * log: every event once and in order, and every loss as a gap.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle } from '../support/virtual-clock.ts';
import { FakeGateway } from './support/fake-gateway.ts';
import { ModelRoom } from './support/model-room.ts';
import { complaints, listen } from './support/told.ts';

const ROOM = 'price:A';
const RUNS = 400;

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

async function play(steps: readonly Step[]) {
  const gateway = new FakeGateway();
  const room = new ModelRoom(ROOM);
  gateway.onSocket = (socket) => setImmediate(() => !socket.isClosed && room.accept(socket));
  const client = gateway.client();
  const readers = [listen(client, ROOM)];
  for (const { op, count } of steps) {
    if (op === 'append') room.log.append(count);
    if (op === 'flush') room.flush();
    if (op === 'conflate') room.flush(count);
    if (op === 'lose') room.flush(1, true);
    if (op === 'repeat') room.repeat(count);
    if (op === 'trim') room.log.trim(count);
    if (op === 'fallOff') room.fallOff();
    if (op === 'epoch') room.beginEpoch(count);
    if (op === 'cut') room.cut();
    if (op === 'answer') room.answer();
    if (op === 'pass') await gateway.clock.elapse(count);
    if (op === 'read') {
      const seq = Math.max(0, room.log.head - count);
      readers.push(listen(client, ROOM, count === 0 ? undefined : { epoch: room.log.epoch, seq }));
    }
    await settle();
  }
  // All is well from now on.
  room.log.append(1);
  for (let turn = 0; turn < 12; turn++) {
    await gateway.clock.elapse(4_000);
    room.answer();
    room.flush();
    await settle();
  }
  client.close();
  return { room, readers, pending: gateway.clock.pending };
}

test('what is delivered is the log without what gaps and conflation name: once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { room, readers, pending } = await play(steps);
      for (const reader of readers) {
        expect(complaints(reader, room.log), JSON.stringify(reader.told)).toEqual([]);
      }
      expect(pending).toBe(0);
    }),
    { numRuns: RUNS },
  );
});
