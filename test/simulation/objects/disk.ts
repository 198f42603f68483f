/** What an object keeps in SQLite. A turn's writes are there for good together, or not at all. */
import type { FollowRow, FollowRows } from '../../../worker/room/follow/rows.ts';
import type { Chunk, Chunks } from '../../../worker/room/store/chunks.ts';

export class ObjectDisk {
  readonly #chunks = new Map<number, Chunk>();
  readonly #rows = new Map<string, FollowRow>();
  /** Puts back what the turn has written, the newest first. */
  readonly #undo: (() => void)[] = [];
  /** Whether the turn has written a row of who follows. */
  followChanged = false;
  /** How many followers the turn has removed. */
  leavers = 0;

  readonly chunks: Chunks = {
    read: () => [...this.#chunks.values()].sort((a, b) => a.last - b.last || a.slot - b.slot),
    put: (chunk) => this.#write(this.#chunks, chunk.slot, chunk),
    remove: (slot) => this.#write(this.#chunks, slot, undefined),
  };

  readonly followRows: FollowRows = {
    read: () => this.follow,
    put: (row) => {
      this.followChanged = true;
      this.#write(this.#rows, `${row.room}\n${row.follower}`, row);
    },
    remove: (room, follower) => {
      this.followChanged = true;
      this.leavers++;
      this.#write(this.#rows, `${room}\n${follower}`, undefined);
    },
  };

  clear(): void {
    for (const { room, follower } of this.follow) this.followRows.remove(room, follower);
    for (const slot of [...this.#chunks.keys()]) this.chunks.remove(slot);
  }

  get isEmpty(): boolean {
    return this.#chunks.size + this.#rows.size === 0;
  }

  get follow(): FollowRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.follower < b.follower ? -1 : 1));
  }

  /** A row of `room`: its own with the follower ''. */
  followRow(room: string, follower: string): FollowRow | undefined {
    return this.#rows.get(`${room}\n${follower}`);
  }

  commit(): void {
    this.#undo.length = 0;
    this.followChanged = false;
    this.leavers = 0;
  }

  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.commit();
  }

  #write<Key, Row>(table: Map<Key, Row>, key: Key, row: Row | undefined): void {
    const before = table.get(key);
    this.#undo.push(() => {
      if (before === undefined) table.delete(key);
      else table.set(key, before);
    });
    if (row === undefined) table.delete(key);
    else table.set(key, row);
  }
}
