/** Hands each room its records: one call per room, side by side. */
import type { Config } from '../config.ts';
import type { Env } from '../env.ts';
import type { RoomAnswer } from '../room/intake/intake.ts';
import type { RoomBatch } from '../room/intake/room-batch.ts';
import { roomStub } from '../room-stub.ts';

/** What a room made of its records; `failed` when it could not be reached. */
export type RoomOutcome = RoomAnswer | { readonly kind: 'failed' };

export async function appendAll(
  env: Env,
  config: Config,
  rooms: ReadonlyMap<string, RoomBatch>,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  const outcomes = Array.from(rooms, async ([room, batch]) => {
    try {
      return [room, await roomStub(env, config, room).append(batch)] as const;
    } catch (error) {
      console.error({ event: 'room_failed', room, error: String(error) });
      return [room, { kind: 'failed' }] as const;
    }
  });
  return new Map<string, RoomOutcome>(await Promise.all(outcomes));
}
