/** The way to a room's object. */
import type { Config } from './config.ts';
import type { Env } from './env.ts';
import type { Room } from './room/durable-object.ts';

/** A location hint counts only when an object is first touched, so every call brings it. */
export function roomStub(env: Env, config: Config, name: string): DurableObjectStub<Room> {
  const { homeRegion } = config;
  return env.ROOM.getByName(name, homeRegion === undefined ? {} : { locationHint: homeRegion });
}
