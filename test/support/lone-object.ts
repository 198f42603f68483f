/** What a room needs of the platform beside its own storage, for tests of an object that has no other. */
import type { Objects } from '../../worker/room/follow/calls/objects.ts';
import { LARGE_LOG } from '../../worker/room/follow/large-logs.ts';
import type { FollowRow, FollowRows } from '../../worker/room/follow/rows.ts';
import { EVERY_SYMBOL } from '../../worker/symbols.ts';

export class FollowRowsInMemory implements FollowRows {
  /** How many rows were written, removals too. */
  written = 0;
  readonly #rows = new Map<string, FollowRow>();

  get size(): number {
    return this.#rows.size;
  }

  read(): FollowRow[] {
    return [...this.#rows.values()];
  }

  clear(): void {
    this.#rows.clear();
  }

  put(row: FollowRow): void {
    this.written++;
    this.#rows.set(`${row.room}\n${row.follower}`, row);
  }

  remove(room: string, follower: string): void {
    this.written++;
    this.#rows.delete(`${room}\n${follower}`);
  }
}

/** Nobody answers. */
export const NO_OBJECTS: Objects = {
  follow: () => Promise.reject(new Error('there is no other object')),
  push: () => Promise.reject(new Error('there is no other object')),
};

export const LONE_OBJECT = {
  objects: NO_OBJECTS,
  region: 'weur',
  width: 4,
  largeLog: LARGE_LOG,
  random: () => 0.5,
  version: undefined,
  leave: () => {},
  symbols: EVERY_SYMBOL,
};
