/**
 * What an object must know again of who follows whom, when it wakes: a row for each follower of a room
 * that it serves, and one for the room itself. The first write makes the table.
 */
import type { Cursor } from '../../protocol/frames.ts';
import { Table } from '../store/table.ts';

/** Where the rows are kept. Each `put` and `remove` writes one row. */
export interface FollowRows {
  read(): FollowRow[];
  put(row: FollowRow): void;
  remove(room: string, follower: string): void;
}

export interface FollowRow {
  readonly room: string;
  /** The name of the follower; '' in the row of the room itself. */
  readonly follower: string;
  /** A `SavedFollower` or a `SavedChannel` as JSON. */
  readonly value: string;
}

/** A follower as its upstream saves it. */
export interface SavedFollower {
  /** The greatest that it has asked with. */
  readonly generation: number;
  /** Where it stood when this was written; undefined when the upstream had given it nothing. */
  readonly cursor: Cursor | undefined;
}

/** What a channel saves that follows, or is followed, when it is idle. */
export interface SavedChannel {
  /** The greatest generation that it has followed with, 0 before the first. */
  readonly generation: number;
  /** The upstream that it is a follower of; undefined when it is a follower of none. */
  readonly upstream: string | undefined;
  /** Where a mirror stands; undefined for a log of its own, and for a mirror that was never filled. */
  readonly cursor: Cursor | undefined;
  /** What came after this number, up to where the mirror stands, has expired. */
  readonly floor: number;
  /** Up to where every follower was pushed the log; undefined when they never all were. */
  readonly told: Cursor | undefined;
  /** Whether it may have passed on more since, which a crash makes it forget. */
  readonly dirty: boolean;
  /** How many calls to one other object had failed in a row, at most. */
  readonly failures: number;
}

/** All that was saved of a room. */
export interface SavedNode {
  readonly channel: SavedChannel | undefined;
  /** By name. */
  readonly followers: ReadonlyMap<string, SavedFollower>;
}

/** What was saved of each room, by its name. */
export function readNodes(rows: FollowRows): Map<string, SavedNode> {
  const nodes = new Map<string, SavedNode>();
  for (const { room, follower, value } of rows.read()) {
    const { channel, followers } = nodes.get(room) ?? { channel: undefined, followers: new Map() };
    const saved = JSON.parse(value);
    nodes.set(
      room,
      follower === ''
        ? { channel: saved, followers }
        : { channel, followers: new Map([...followers, [follower, saved]]) },
    );
  }
  return nodes;
}

const FOLLOW_COLUMNS =
  '(room TEXT NOT NULL, follower TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (room, follower)) WITHOUT ROWID';

export class SqliteFollowRows implements FollowRows {
  readonly table: Table;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.table = new Table(sql, 'follow', FOLLOW_COLUMNS);
  }

  read(): FollowRow[] {
    if (!this.table.look()) return [];
    return this.#sql
      .exec<{ room: string; follower: string; value: string }>(
        'SELECT room, follower, value FROM follow ORDER BY room, follower',
      )
      .toArray();
  }

  put({ room, follower, value }: FollowRow): void {
    this.table.make();
    this.#sql.exec(
      'INSERT INTO follow (room, follower, value) VALUES (?, ?, ?) ON CONFLICT (room, follower) DO UPDATE SET value = excluded.value',
      room,
      follower,
      value,
    );
  }

  remove(room: string, follower: string): void {
    if (this.table.exists) {
      this.#sql.exec('DELETE FROM follow WHERE room = ? AND follower = ?', room, follower);
    }
  }
}
