/**
 * A lock that one process at a time can hold and that goes with its holder, however it ends: the
 * operating system's own lock on a file, which Node reaches through SQLite. A file with a process
 * id in it would have to be judged stale or not.
 */
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/** A connection that nobody refers to would be collected, and its lock with it. */
const held = new Set<DatabaseSync>();

export interface FileLock {
  release(): void;
}

/** The lock on `path`, or undefined while somebody else holds it. */
export function acquireLock(path: string): FileLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)
      return undefined;
    throw error;
  }
  held.add(database);
  return {
    release() {
      held.delete(database);
      database.close();
    },
  };
}
