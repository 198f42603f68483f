/** Ways to plant a mistake in a class while the simulation runs. Vitest takes each of them out again. */
import { type MockInstance, vi } from 'vitest';
import { Channel } from '../../worker/room/channel.ts';
import { Flusher } from '../../worker/room/delivery/flusher.ts';
import { Laggards } from '../../worker/room/delivery/laggards.ts';

interface Class<Instance> {
  readonly prototype: Instance;
}

/** The names of an instance's methods. */
type MethodOf<Instance> = {
  [Name in keyof Instance]: Instance[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Instance] &
  string;

type Call<Instance, Name extends keyof Instance> = Instance[Name] extends (
  ...args: infer Args
) => infer Result
  ? (...args: Args) => Result
  : never;

/** Replaces a method by one that is given the original, bound, and the instance. */
export function wrap<Instance extends object, Name extends MethodOf<Instance>>(
  { prototype }: Class<Instance>,
  name: Name,
  replacement: (
    original: Call<Instance, Name>,
    self: Instance,
    ...args: Parameters<Call<Instance, Name>>
  ) => ReturnType<Call<Instance, Name>>,
): MockInstance {
  const original = prototype[name] as Call<Instance, Name>;
  const methods = prototype as unknown as { method: (...args: unknown[]) => unknown };
  const spied = vi.spyOn(methods, name as 'method') as MockInstance;
  return spied.mockImplementation(function (this: Instance, ...args: unknown[]) {
    return replacement(
      original.bind(this) as Call<Instance, Name>,
      this,
      ...(args as Parameters<Call<Instance, Name>>),
    );
  } as never);
}

/** Replaces a getter. */
export function replaceGetter<Instance extends object, Name extends keyof Instance & string>(
  { prototype }: Class<Instance>,
  name: Name,
  value: (self: Instance) => Instance[Name],
): MockInstance {
  const getters = prototype as unknown as { getter: unknown };
  const spied = vi.spyOn(getters, name as 'getter', 'get') as MockInstance;
  return spied.mockImplementation(function (this: Instance) {
    return value(this);
  } as never);
}

/** Plants mistakes for as long as `act` runs. */
export function during<Result>(plant: () => MockInstance[], act: () => Result): Result {
  const planted = plant();
  try {
    return act();
  } finally {
    for (const mistake of planted) mistake.mockRestore();
  }
}

/** Plants mistakes for as long as members are given something that are members already. */
export function whileServing(plant: () => MockInstance[]): void {
  wrap(Laggards, 'serve', (serve, _laggards, member, now) =>
    member.state.kind === 'lagging' ? during(plant, () => serve(member, now)) : serve(member, now),
  );
  wrap(Flusher, 'run', (run, _flusher, now) => during(plant, () => run(now)));
}

/** While a member is welcomed, it is taken in at a number that `standAt` gives. */
export function whileJoining(standAt: (cursor: number, channel: Channel) => number): void {
  wrap(Channel, 'welcome', (welcome, channel, ...args) =>
    during(
      () => [
        replaceGetter(Channel, 'flushedUpTo', () => 0),
        wrap(Channel, 'gather', (gather, _channel, member, cursor, now) =>
          gather(member, standAt(cursor, channel), now),
        ),
      ],
      () => welcome(...args),
    ),
  );
}
