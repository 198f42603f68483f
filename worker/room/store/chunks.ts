/**
 * The one table of a room: chunks of its log, with several entries to a row, since written rows are
 * billed. Slots are reused, so that trimming overwrites instead of deleting. The first write makes
 * the table; a room that nobody has published to has no table.
 */
import { Table } from './table.ts';

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

const CHUNK_COLUMNS =
  '(slot INTEGER PRIMARY KEY, last INTEGER NOT NULL, entries TEXT NOT NULL, state TEXT NOT NULL)';

export class SqliteChunks implements Chunks {
  readonly table: Table;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.table = new Table(sql, 'chunk', CHUNK_COLUMNS);
  }

  read(): Chunk[] {
    if (!this.table.look()) return [];
    return this.#sql
      .exec<{ slot: number; last: number; entries: string; state: string }>(
        'SELECT slot, last, entries, state FROM chunk ORDER BY last, slot',
      )
      .toArray();
  }

  put({ slot, last, entries, state }: Chunk): void {
    this.table.make();
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
