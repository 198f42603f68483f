/**
 * Whatever happens to the connections of a client, and however their mirrors of `system` lag, what its
 * handlers hear adds up to the log of `system`: each alert once and in order, and every loss told.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Gap, Subscription } from '../../worker/client/index.ts';
import { settle } from '../support/virtual-clock.ts';
import { FakeGateway } from './support/fake-gateway.ts';
import { range } from './support/model-log.ts';
import { ModelSystem } from './support/model-system.ts';

const RUNS = 400;
const ROOMS = ['price:A', 'price:B', 'system', 'price:C'];

type Told =
  | { readonly kind: 'event' | 'snapshot'; readonly epoch: number; readonly seq: number }
  | ({ readonly kind: 'gap' } & Gap);

const OPS = {
  append: 6,
  follow: 8,
  flush: 8,
  lose: 1,
  repeat: 1,
  trim: 1,
  epoch: 1,
  cut: 2,
  pass: 3,
  answer: 3,
  join: 3,
  leave: 1,
} as const;
type Op = keyof typeof OPS;

const step = fc.record({
  op: fc.oneof(
    ...Object.entries(OPS).map(([op, weight]) => ({ weight, arbitrary: fc.constant(op as Op) })),
  ),
  which: fc.nat(7),
  count: fc.nat(6),
});
const history = fc.array(step, { minLength: 10, maxLength: 60 });
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function play(atFirst: number, steps: readonly Step[]) {
  const gateway = new FakeGateway();
  const system = new ModelSystem();
  gateway.onSocket = (socket) => setImmediate(() => !socket.isClosed && system.accept(socket));
  const client = gateway.client();
  const told: Told[] = [];
  client.on('price_update', (_, { room, epoch, seq, snapshot }) => {
    if (room === 'system') told.push({ kind: snapshot ? 'snapshot' : 'event', epoch, seq });
  });
  client.on('error', ({ code, cause }) => {
    if (code === 'system_gap') told.push({ kind: 'gap', ...(cause as Gap) });
  });
  const joined = new Map<string, Subscription<unknown>>();
  const join = (which: number) => {
    const room = ROOMS[which % ROOMS.length] ?? '';
    if (!joined.has(room)) joined.set(room, client.subscribe(room, { onEvent: () => {} }));
  };
  const leave = (which: number) => {
    const room = ROOMS[which % ROOMS.length] ?? '';
    joined.get(room)?.unsubscribe();
    joined.delete(room);
  };
  const run: Readonly<Record<Op, (step: Step) => unknown>> = {
    append: ({ count }) => system.append(count),
    follow: ({ which }) => system.follow(which),
    flush: ({ which }) => system.flush(which),
    lose: ({ which }) => system.flush(which, true),
    repeat: ({ which, count }) => system.repeat(which, count),
    trim: ({ count }) => system.trim(count),
    epoch: ({ count }) => system.beginEpoch(count),
    cut: ({ which }) => system.cut(which),
    pass: ({ count }) => gateway.clock.elapse(count * 500),
    answer: () => system.answer(),
    join: ({ which }) => join(which),
    leave: ({ which }) => leave(which),
  };
  for (const which of range(-1, atFirst - 1)) join(which);
  for (const each of steps) {
    await run[each.op](each);
    await settle();
  }
  // All is well from now on.
  join(0);
  system.append(1);
  for (let turn = 0; turn < 12; turn++) {
    await gateway.clock.elapse(4_000);
    system.answer();
    system.settle();
    await settle();
  }
  client.close();
  return { system, told, pending: gateway.clock.pending };
}

/** Walks what was told, and complains of what does not add up. */
function complaints(told: readonly Told[], system: ModelSystem): string[] {
  const found: string[] = [];
  let at: { readonly epoch: number; readonly seq: number } | undefined;
  /** Up to where a state may be shown: at first, and after a gap. */
  let shows: number | undefined = Number.POSITIVE_INFINITY;
  for (const item of told) {
    const { kind, epoch } = item;
    const where = `${JSON.stringify(item)} at ${JSON.stringify(at)}`;
    if (kind === 'gap') {
      if (at && !isLoss(item, at, system)) found.push(where);
      at = { epoch, seq: item.to };
      shows = item.to;
    } else if (kind === 'snapshot') {
      if (shows === undefined || item.seq > shows || (at && at.epoch !== epoch)) found.push(where);
      if (shows === Number.POSITIVE_INFINITY) at = { epoch, seq: item.seq };
    } else {
      const isNext = at
        ? at.epoch === epoch && at.seq === item.seq - 1
        : // The first state had nothing to show.
          system.shown.has(`${epoch}:${item.seq - 1}`);
      if (!isNext) found.push(where);
      at = { epoch, seq: item.seq };
      shows = undefined;
    }
  }
  if (at?.epoch !== system.epoch || at.seq !== system.head) {
    found.push(`ends at ${JSON.stringify(at)}, not at ${system.epoch}:${system.head}`);
  }
  return found;
}

/** Whether what a gap names was lost, to a reader that stood at `at`. */
function isLoss(
  { epoch, from, to, reason }: Gap,
  at: { readonly epoch: number; readonly seq: number },
  system: ModelSystem,
): boolean {
  if (from !== at.seq) return false;
  if (epoch !== at.epoch) return epoch > at.epoch && reason === 'epoch';
  if (to <= from || reason === 'epoch') return false;
  return reason === 'lost' || from < system.trimmedIn(epoch);
}

test('R13: what is heard is the log without what gaps name: once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), history, async (atFirst, steps) => {
      const { system, told, pending } = await play(atFirst, steps);
      expect(complaints(told, system), JSON.stringify(told)).toEqual([]);
      expect(pending).toBe(0);
    }),
    { numRuns: RUNS },
  );
});
