/** The lock files are as npm writes them: whatever is fetched is judged by its digest. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test.each(['../../package-lock.json', 'toolchains/package-lock.json'])(
  'each package of %s has its digest',
  async (file) => {
    const { packages } = JSON.parse(await readFile(new URL(file, import.meta.url), 'utf8'));
    const { '': _, ...fetched } = packages as Record<string, { readonly integrity?: string }>;
    const without = Object.keys(fetched).filter((path) => !fetched[path]?.integrity);
    expect(without).toEqual([]);
  },
);
