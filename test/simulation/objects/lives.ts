/** The kinds of lives, and how one is lived by its seed. */
import { Violation } from '../violation.ts';
import * as rooms from './life.ts';
import * as relays from './relay-life.ts';
import { World, type WorldOptions } from './world.ts';

const KINDS = { rooms, relays } as const;
export type KindName = keyof typeof KINDS;
export const KIND_NAMES: readonly KindName[] = ['rooms', 'relays'];

export function toBeMetIn(kind: KindName): rooms.Lived['coverage'] {
  return new World(0, KINDS[kind].KIND, {}).coverage;
}

/** Lives a life. It throws a `Violation` when a promise is broken. */
export function live(
  kind: KindName,
  seed: number,
  options: WorldOptions = {},
): Promise<rooms.Lived> {
  const { KIND, live: liveOf } = KINDS[kind];
  return liveOf(new World(seed, KIND, options));
}

/** The last lines of what happened in a life that has broken a promise. */
export async function traceOf(kind: KindName, seed: number): Promise<string[]> {
  const { KIND, live: liveOf } = KINDS[kind];
  const world = new World(seed, KIND, { traces: true });
  try {
    await liveOf(world);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  }
  return world.trace;
}
