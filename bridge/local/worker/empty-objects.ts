/**
 * The local runtime makes a file for each object that it starts, even if that stores nothing, and never
 * removes one (on Cloudflare, nothing is left of such an object). While it runs, it may write to any of
 * them; so those without a table are removed before it starts.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** One page, of which SQLite makes a database without any table. */
const EMPTY_BYTES = 4_096;

/** @returns how many objects there were. */
export async function removeEmptyObjects(stateDir: string): Promise<number> {
  const names = await readdir(stateDir, { recursive: true }).catch(() => []);
  let removed = 0;
  for (const name of names.filter((name) => name.endsWith('.sqlite'))) {
    const file = join(stateDir, name);
    if (!(await isEmpty(file))) continue;
    await Promise.all(
      [file, `${file}-shm`, `${file}-wal`].map((each) => rm(each, { force: true })),
    );
    removed++;
  }
  return removed;
}

async function isEmpty(file: string): Promise<boolean> {
  const { size } = await stat(file);
  // What a runtime that was killed has not moved into the file yet.
  const log = await stat(`${file}-wal`).catch(() => ({ size: 0 }));
  if (size !== EMPTY_BYTES || log.size > 0) return false;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined;
  } finally {
    database.close();
  }
}
