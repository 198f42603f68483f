/** The one way to a room's object: a call, and what its failure says. */
import { type Config, locationHintOf, regionOf } from './config.ts';
import type { Env } from './env.ts';
import { platformErrorOf } from './platform-error.ts';
import type { Room } from './room/durable-object.ts';
import { parseObjectName } from './room/follow/branches.ts';

export type RoomStub = DurableObjectStub<Room>;

/** The object could not be reached, or failed. */
export interface RoomFailure {
  readonly kind: 'failed';
  /** How long the caller should wait before it tries again, in seconds. */
  readonly retryAfter: number;
}

interface RoomCall<Stub, Result> {
  /** The name of the room, for the log. */
  readonly room: string;
  /** After an error a stub may be broken, so each attempt takes a new one. */
  readonly stub: () => Stub;
  readonly call: (stub: Stub) => Promise<Result>;
  /** Whether the call may be executed twice, and so made again when nobody knows whether it was. */
  readonly isIdempotent?: boolean;
}

/** In seconds. */
const RETRY_AFTER = 1;
const RETRY_AFTER_OVERLOAD = 5;

/** A location hint counts only when an object is first touched, so every call brings it. */
export function roomStub(env: Env, config: Config, name: string): RoomStub {
  return stubOf(env, name, config.homeRegion);
}

/** The way from one object to another: a branch is in its region, and every other object at home. */
export function objectStub(env: Env, object: string): RoomStub {
  const region = parseObjectName(object)?.branch?.region ?? regionOf(env);
  return stubOf(env, object, locationHintOf(region));
}

function stubOf(env: Env, name: string, hint: DurableObjectLocationHint | undefined): RoomStub {
  return env.ROOM.getByName(name, hint === undefined ? {} : { locationHint: hint });
}

/** Calls an object. A failure is logged with what the platform says of it, and given back. */
export async function callRoom<Stub, Result>(
  options: RoomCall<Stub, Result>,
): Promise<Result | RoomFailure> {
  const { room, stub, call, isIdempotent = false } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(stub());
    } catch (error) {
      const { overloaded, retryable, remote, durableObjectReset } = platformErrorOf(error);
      // Whatever an instance that has ended held in memory, such as a socket, has ended with it.
      const mayRepeat = durableObjectReset || (isIdempotent && retryable);
      const repeats = mayRepeat && !overloaded && attempt === 1;
      const failure = { room, overloaded, retryable, remote, repeats, error: String(error) };
      console.error({ event: 'room_failed', ...failure });
      if (repeats) continue;
      return { kind: 'failed', retryAfter: overloaded ? RETRY_AFTER_OVERLOAD : RETRY_AFTER };
    }
  }
}
