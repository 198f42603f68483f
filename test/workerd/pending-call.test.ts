/**
 * What ends a call from one object to another that is not answered. An object cannot hibernate while it
 * has a pending call, so this matters to everyone who calls. Each test says one fact that the calls
 * between objects rely on; ARCHITECTURE.md ("Calls between objects") says what follows from them.
 *
 * `evictDurableObject` waits until nothing holds the object. The runtime looks at the same count before
 * it lets an object hibernate.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Room } from '../../worker/room/durable-object.ts';

const stubOf = (name: string): DurableObjectStub<Room> => env.ROOM.getByName(name);
let objects = 0;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Two objects: one calls the other, which does not answer before it is told to. */
class Pair {
  readonly caller = stubOf(`price:CALLER-${++objects}`);
  readonly callee = stubOf(`price:CALLEE-${objects}`);
  readonly outcome: Promise<unknown>;
  /** How many calls have begun, and how many have come to their end, in the callee. */
  begun = 0;
  ended = 0;
  #settle: (outcome: unknown) => void = () => {};
  #answer = () => {};

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const methods: Record<'history' | 'fetch', () => unknown> = Room.prototype as never;
    vi.spyOn(methods, 'history').mockImplementation(async () => {
      await this.#takeCall();
      return 'answer';
    });
    vi.spyOn(methods, 'fetch').mockImplementation(async () => {
      await this.#takeCall();
      return new Response('answer');
    });
  }

  /** The caller makes the call. Resolves when the callee's turn has begun. */
  async call(make: (callee: DurableObjectStub<Room>) => Promise<unknown>): Promise<void> {
    await runInDurableObject(this.caller, () => {
      make(stubOf(this.callee.name ?? '')).then(this.#settle, this.#settle);
    });
    await expect.poll(() => this.begun).toBe(1);
  }

  async answer(): Promise<void> {
    await runInDurableObject(this.callee, () => this.#answer());
  }

  async #takeCall(): Promise<void> {
    this.begun++;
    await new Promise<void>((resolve) => {
      this.#answer = resolve;
    });
    this.ended++;
  }
}

const rpc = (callee: DurableObjectStub<Room>) => callee.history(undefined, 1);

/** Follows whether an object that is to hibernate is still held. */
class Hibernation {
  isHeld = true;
  readonly done: Promise<void>;

  constructor(object: DurableObjectStub<Room>) {
    this.done = evictDurableObject(object).then(() => {
      this.isHeld = false;
    });
  }

  /** Resolves when it would have hibernated if nothing held it: others have, that began later. */
  async hadTime(): Promise<this> {
    for (let others = 0; others < 5; others++) {
      const other = stubOf(`price:OTHER-${++objects}`);
      await runInDurableObject(other, () => {});
      await evictDurableObject(other);
    }
    return this;
  }
}

async function crash(object: DurableObjectStub<Room>): Promise<void> {
  await runInDurableObject(object, (_, state) => state.abort('crash')).catch(() => {});
}

/** The types of the platform know this method of a call, and those of this project's library do not. */
function disposeOf(call: object): void {
  const { dispose } = Symbol as unknown as Record<'dispose', keyof object>;
  (call[dispose] as () => void)();
}

describe('a call of a method that is not answered', () => {
  it('holds its caller, which has given up and disposed of it, until it is answered', async () => {
    const pair = new Pair();
    await pair.call((callee) => {
      const answer = rpc(callee);
      disposeOf(answer);
      return Promise.race([answer, Promise.resolve('given up')]);
    });
    expect(await pair.outcome).toBe('given up');
    const hibernation = await new Hibernation(pair.caller).hadTime();
    expect(hibernation.isHeld).toBe(true);
    await pair.answer();
    await hibernation.done;
  });

  it('holds its callee', async () => {
    const pair = new Pair();
    await pair.call(rpc);
    const hibernation = await new Hibernation(pair.callee).hadTime();
    expect(hibernation.isHeld).toBe(true);
    await pair.answer();
    await hibernation.done;
  });

  it('can be given no signal', async () => {
    const { caller, callee } = new Pair();
    const attempt = runInDurableObject(caller, () => {
      const { history } = stubOf(callee.name ?? '');
      const take = history as unknown as (signal: AbortSignal) => Promise<unknown>;
      return take(new AbortController().signal).catch(({ name }: Error) => name);
    });
    expect(await attempt).toBe('DataCloneError');
  });

  it('ends when its callee ends itself', async () => {
    const pair = new Pair();
    await pair.call(rpc);
    await crash(pair.callee);
    expect(await pair.outcome).toMatchObject({ message: 'crash', durableObjectReset: true });
    expect(await pair.outcome).not.toHaveProperty('retryable');
    await evictDurableObject(pair.caller);
  });

  it('lets go of its callee when its caller ends itself', async () => {
    const pair = new Pair();
    await pair.call(rpc);
    await crash(pair.caller);
    await evictDurableObject(pair.callee);
    expect(pair.ended).toBe(0);
  });
});

describe('a request that is not answered', () => {
  async function abortedPair(reason?: unknown): Promise<Pair> {
    const pair = new Pair();
    const controller = new AbortController();
    const { signal } = controller;
    await pair.call((callee) => callee.fetch('https://object/', { method: 'POST', signal }));
    await runInDurableObject(pair.caller, () => controller.abort(reason));
    return pair;
  }

  it('holds its caller no more once its signal is aborted, and its callee goes on to the end', async () => {
    const pair = await abortedPair();
    await evictDurableObject(pair.caller);
    expect(pair.ended).toBe(0);
    await pair.answer();
    await expect.poll(() => pair.ended).toBe(1);
  });

  it('holds its callee no more once its signal is aborted', async () => {
    const pair = await abortedPair();
    await evictDurableObject(pair.callee);
    expect(pair.ended).toBe(0);
  });

  it('rejects with the text of the reason, and seems retryable without one', async () => {
    const withReason = await (await abortedPair('too late')).outcome;
    expect(withReason).toMatchObject({ message: 'too late' });
    expect(withReason).not.toHaveProperty('retryable');
    const withoutReason = await (await abortedPair()).outcome;
    expect(withoutReason).toMatchObject({ name: 'AbortError', retryable: true });
  });

  it('ends when its signal is aborted while the body of the answer is read', async () => {
    const pair = new Pair();
    const body = new ReadableStream({ start: () => void pair.begun++ });
    vi.mocked(Room.prototype.fetch).mockImplementation(async () => new Response(body));
    const controller = new AbortController();
    const { signal } = controller;
    await pair.call(async (callee) => (await callee.fetch('https://object/', { signal })).text());
    await runInDurableObject(pair.caller, () => controller.abort('too late'));
    expect(await pair.outcome).toMatchObject({ message: 'too late' });
    await evictDurableObject(pair.caller);
  });

  it('ends when its callee ends itself', async () => {
    const pair = new Pair();
    await pair.call((callee) => callee.fetch('https://object/'));
    await crash(pair.callee);
    expect(await pair.outcome).toMatchObject({ message: 'crash', durableObjectReset: true });
    await evictDurableObject(pair.caller);
  });

  it('says when the code of the callee has thrown', async () => {
    const pair = new Pair();
    vi.mocked(Room.prototype.fetch).mockImplementation(() => {
      pair.begun++;
      throw new RangeError('a bug');
    });
    await pair.call((callee) => callee.fetch('https://object/'));
    const error = await pair.outcome;
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: 'a bug', remote: true });
  });
});
