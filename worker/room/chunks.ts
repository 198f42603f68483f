/**
 * The one table of a room: chunks of its log, several entries to a row, since rows written are what
 * is billed. Slots are reused, so that trimming overwrites instead of deleting. The table is made by
 * the first write; a room that nobody published to has none.
 */

export interface Chunk {
  readonly slot: number;
  /** As `encodeEntries` made it. */
  readonly entries: string;
  /** JSON of a `SavedState`; only the newest one counts, by its `head`. */
  readonly state: string;
}

/** Where a store keeps its chunks. Each call is one write of one row. */
export interface Chunks {
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

  read(): Chunk[] {
    this.#exists =
      this.#sql
        .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'chunk'")
        .toArray().length > 0;
    if (!this.#exists) return [];
    return this.#sql
      .exec<{ slot: number; entries: string; state: string }>(
        'SELECT slot, entries, state FROM chunk ORDER BY slot',
      )
      .toArray();
  }

  put({ slot, entries, state }: Chunk): void {
    if (this.#exists !== true) {
      this.#sql.exec(
        'CREATE TABLE IF NOT EXISTS chunk (slot INTEGER PRIMARY KEY, entries TEXT NOT NULL, state TEXT NOT NULL)',
      );
      this.#exists = true;
    }
    this.#sql.exec(
      'INSERT INTO chunk (slot, entries, state) VALUES (?, ?, ?) ON CONFLICT (slot) DO UPDATE SET entries = excluded.entries, state = excluded.state',
      slot,
      entries,
      state,
    );
  }

  remove(slot: number): void {
    this.#sql.exec('DELETE FROM chunk WHERE slot = ?', slot);
  }
}
