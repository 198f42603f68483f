/** The configuration of the Worker with another entry, for tests that need more of it than it offers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** @returns the path of the configuration, which is written into `folder`. */
export async function configWithMain(folder: string, main: string): Promise<string> {
  const path = join(folder, 'wrangler.toml');
  const config = await readFile('wrangler.toml', 'utf8');
  const line = `main = ${JSON.stringify(resolve(main))}`;
  await writeFile(path, config.replace(/^main = .*$/m, line));
  return path;
}
