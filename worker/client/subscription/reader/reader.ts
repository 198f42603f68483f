/** What a room needs of those who read it, and what they need of the room together. */
import type { Cursor } from '../../../protocol/frames.ts';
import type { MaxRate } from '../../../protocol/messages.ts';
import type { ConnectionStatus } from '../../connection/connection-state.ts';
import type { LogFrame } from '../../connection/wire.ts';
import type { RoomCursor } from './cursor.ts';

export interface Reader {
  readonly maxRate: MaxRate | undefined;
  readonly place: RoomCursor;
  receive(frame: LogFrame): void;
  statusChanged(status: ConnectionStatus): void;
}

/** What a room is asked for. */
export interface Request {
  readonly since: Cursor | undefined;
  readonly maxRate: MaxRate | undefined;
}

/** All that any reader lacks, as fast as any wants it. */
export function requestOf(readers: readonly Reader[]): Request {
  const since = readers.map(({ place }) => place.position).reduce(earlier);
  return { since, maxRate: fastest(readers) };
}

/** Undefined, that is as fast as the room goes, if any reader wants that. */
export function fastest(readers: readonly Reader[]): MaxRate | undefined {
  let rate: MaxRate = 1;
  for (const { maxRate } of readers) {
    if (!maxRate) return undefined;
    if (maxRate > rate) rate = maxRate;
  }
  return rate;
}

/** Undefined, that is a snapshot, if a reader has no place yet. */
function earlier(one: Cursor | undefined, other: Cursor | undefined): Cursor | undefined {
  return one && other && ((one.epoch - other.epoch || one.seq - other.seq) > 0 ? other : one);
}
