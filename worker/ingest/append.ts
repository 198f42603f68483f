/** Hands each room its records: one call per room, side by side. */
import type { Config } from '../config.ts';
import type { Env } from '../env.ts';
import type { RoomAnswer } from '../room/intake/intake.ts';
import type { RoomBatch } from '../room/intake/room-batch.ts';
import { callRoom, type RoomFailure, type RoomStub, roomStub } from '../room-call.ts';
import { versionOf } from '../version.ts';

/** What a room made of its records; `failed` when it could not be reached. */
export type RoomOutcome = RoomAnswer | RoomFailure;

export async function appendAll(
  env: Env,
  config: Config,
  rooms: ReadonlyMap<string, RoomBatch>,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  const outcomes = Array.from(rooms, async ([room, batch]) => {
    const outcome = await callRoom<RoomStub, RoomAnswer>({
      room,
      stub: () => roomStub(env, config, room),
      call: (stub) => stub.append(batch, versionOf(env)),
      // The room knows which records it has.
      isIdempotent: true,
    });
    return [room, outcome] as const;
  });
  return new Map<string, RoomOutcome>(await Promise.all(outcomes));
}
