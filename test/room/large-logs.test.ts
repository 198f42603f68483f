import { describe, expect, it } from 'vitest';
import { CALL_DEADLINE } from '../../worker/room/follow/calls/call.ts';
import { LARGE_LOG, LARGE_LOGS_AT_ONCE } from '../../worker/room/follow/large-logs.ts';
import { type NotedCall, ObjectsInMemory } from './objects-in-memory.ts';
import type { FakeSocket } from './room-in-memory.ts';

const NAMES = Array.from({ length: 6 }, (_, index) => `price:S${index}`);
/** How many alerts of the size below make a large log. */
const ALERTS = 3;
const SIZE = Math.ceil(LARGE_LOG / ALERTS);

/** The root of `system` and its followers, whose pushes are held back until they are let go on. */
class Family {
  readonly objects = new ObjectsInMemory(NAMES.length);
  readonly pushed: string[] = [];
  readonly #held = new Map<string, () => void>();

  constructor(alerts: number) {
    for (let count = 0; count < alerts; count++) this.objects.append('system', { size: SIZE });
    this.objects.meddle = (call, make) => this.#hold(call, make);
  }

  /** Those to whom a push is on its way. */
  get onTheirWay(): string[] {
    return [...this.#held.keys()];
  }

  async join(names: readonly string[]): Promise<FakeSocket[]> {
    const sockets = names.map((name) => this.objects.join(name));
    await this.objects.elapse(200);
    return sockets;
  }

  async arrive(name: string): Promise<void> {
    this.#held.get(name)?.();
    this.#held.delete(name);
    await this.objects.elapse(200);
  }

  async #hold(call: NotedCall, make: () => unknown): Promise<unknown> {
    if (call.kind === 'follow') return make();
    this.pushed.push(call.to);
    await new Promise<void>((resolve) => {
      this.#held.set(call.to, resolve);
    });
    return make();
  }
}

const stateOf = ({ frames }: FakeSocket): number[] =>
  frames.flatMap((frame) =>
    (frame.type === 'snapshot' || frame.type === 'events') && frame.room === 'system'
      ? frame.events.map(({ seq }) => seq)
      : [],
  );

describe('a large log', () => {
  it('is sent to two followers at once, and to the next when one of them has it', async () => {
    const family = new Family(ALERTS);
    const sockets = await family.join(NAMES);
    for (let arrived = 0; arrived < NAMES.length; arrived++) {
      expect(family.onTheirWay).toEqual(NAMES.slice(arrived, arrived + LARGE_LOGS_AT_ONCE));
      await family.arrive(NAMES[arrived] ?? '');
    }
    expect(family.pushed).toEqual(NAMES);
    for (const socket of sockets) expect(stateOf(socket)).toEqual([1, 2, 3]);
  });

  it('holds up nobody who needs less', async () => {
    const family = new Family(ALERTS);
    const [first = '', ...others] = NAMES;
    const [socket] = await family.join([first]);
    await family.arrive(first);
    await family.join(others);
    expect(family.onTheirWay).toEqual(others.slice(0, LARGE_LOGS_AT_ONCE));
    family.objects.alert();
    await family.objects.elapse(200);
    await family.arrive(first);
    expect(socket && stateOf(socket)).toEqual([1, 2, 3, 4]);
  });

  it('is sent to the others when the first ones do not answer', async () => {
    const family = new Family(ALERTS);
    await family.join(NAMES);
    await family.objects.elapse(CALL_DEADLINE);
    expect(family.pushed).toEqual(NAMES.slice(0, 2 * LARGE_LOGS_AT_ONCE));
    // They try again meanwhile, and must not take the places of those who have not had their turn.
    for (const name of NAMES.slice(2)) await family.arrive(name);
    expect(family.pushed.slice(0, NAMES.length)).toEqual(NAMES);
    expect(family.onTheirWay).toEqual(NAMES.slice(0, LARGE_LOGS_AT_ONCE));
  });

  it('is sent even if the object that owes it has crashed', async () => {
    const family = new Family(ALERTS);
    const [socket] = await family.join(NAMES.slice(0, 1));
    family.objects.crash('system');
    family.objects.meddle = async (_call, make) => make();
    await family.objects.elapse(20_000);
    expect(socket && stateOf(socket)).toEqual([1, 2, 3]);
  });
});

it('a log that is not large is the answer to `follow`, however many ask', async () => {
  const family = new Family(ALERTS - 1);
  const sockets = await family.join(NAMES);
  expect(family.pushed).toEqual([]);
  for (const socket of sockets) expect(stateOf(socket)).toEqual([1, 2]);
});
