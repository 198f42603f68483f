/** A room's table in memory. What a turn wrote is there for good once the turn has ended. */
import type { Chunk, Chunks } from '../../worker/room/store/chunks.ts';

export class Disk implements Chunks {
  #rows = new Map<number, Chunk>();
  #before = new Map<number, Chunk>();
  /** Rows written in this turn, and ever. */
  turnWrites = 0;
  writes = 0;

  /** How many rows there are. */
  get size(): number {
    return this.#rows.size;
  }

  read(): Chunk[] {
    return [...this.#rows.values()].sort((a, b) => a.last - b.last || a.slot - b.slot);
  }

  put(chunk: Chunk): void {
    this.turnWrites++;
    this.#rows.set(chunk.slot, chunk);
  }

  remove(slot: number): void {
    this.turnWrites++;
    this.#rows.delete(slot);
  }

  clear(): void {
    this.#rows = new Map();
  }

  begin(): void {
    this.turnWrites = 0;
    this.#before = new Map(this.#rows);
  }

  commit(): void {
    this.writes += this.turnWrites;
  }

  rollBack(): void {
    this.#rows = this.#before;
  }

  /** Whether a memory room's state is saved, with nothing appended since. */
  get isClean(): boolean {
    const state = this.#rows.get(0)?.state;
    return state !== undefined && JSON.parse(state).dirty === false;
  }
}
