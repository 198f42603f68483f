import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLock } from '../../bridge/local/processes/file-lock.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { startOwned } from './owned.ts';

test('a lock is had by one at a time, and by the next once it is released', async () => {
  const path = join(await temporaryFolder(), 'lock');
  const first = acquireLock(path);
  expect(first).toBeDefined();
  expect(acquireLock(path)).toBeUndefined();
  first?.release();
  const second = acquireLock(path);
  expect(second).toBeDefined();
  second?.release();
});

test('a lock goes with a holder that is killed', async () => {
  const path = join(await temporaryFolder(), 'lock');
  const holder = await startOwned('lock', 0, path);
  expect(acquireLock(path)).toBeUndefined();
  await holder.killOwner();
  const lock = await until('the lock is free', () => acquireLock(path), 1000);
  lock.release();
});
