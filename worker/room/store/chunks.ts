/**
 * The one table of a room: chunks of its log, with several entries to a row, since written rows are
 * billed. Slots are reused, so that trimming overwrites instead of deleting. The first write makes
 * the table; a room that nobody has published to has no table.
 */

export interface Chunk {
  readonly slot: number;
  /** The head of the log when it was written. */
  readonly last: number;
  /** As `encodeEntries` made it. */
  readonly entries: string;
  /** A `SavedState` as JSON. Only the newest chunk's state counts. */
  readonly state: string;
}

/** Where a store keeps its chunks. Each call is one write of one row. */
export interface Chunks {
  /** Oldest first. */
  read(): Chunk[];
  put(chunk: Chunk): void;
  remove(slot: number): void;
}

export class SqliteChunks implements Chunks {
  readonly #sql: SqlStorage;
  #exists: boolean | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get exists(): boolean {
    return this.#exists === true;
  }

  /** All tables of the object are gone. */
  noteCleared(): void {
    this.#exists = false;
  }

  read(): Chunk[] {
    this.#exists =
      this.#sql
        .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'chunk'")
        .toArray().length > 0;
    if (!this.#exists) return [];
    return this.#sql
      .exec<{ slot: number; last: number; entries: string; state: string }>(
        'SELECT slot, last, entries, state FROM chunk ORDER BY last, slot',
      )
      .toArray();
  }

  put({ slot, last, entries, state }: Chunk): void {
    if (this.#exists !== true) {
      this.#sql.exec(
        'CREATE TABLE IF NOT EXISTS chunk (slot INTEGER PRIMARY KEY, last INTEGER NOT NULL, entries TEXT NOT NULL, state TEXT NOT NULL)',
      );
      this.#exists = true;
    }
    this.#sql.exec(
      'INSERT INTO chunk (slot, last, entries, state) VALUES (?, ?, ?, ?) ON CONFLICT (slot) DO UPDATE SET last = excluded.last, entries = excluded.entries, state = excluded.state',
      slot,
      last,
      entries,
      state,
    );
  }

  remove(slot: number): void {
    this.#sql.exec('DELETE FROM chunk WHERE slot = ?', slot);
  }
}
