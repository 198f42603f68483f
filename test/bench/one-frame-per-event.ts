/**
 * The contender: the same Worker, which sends a frame for each event and waits for no others. Its
 * source is ours with these constants changed; a constant that is not found stops the bench.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../support/stack.ts';

interface Change {
  readonly from: string;
  readonly to: string;
}

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  'worker/room/delivery/slice.ts': [
    { from: 'SLICE_CHARACTERS = 256 * 1024;', to: 'SLICE_CHARACTERS = 1;' },
  ],
  'worker/room/delivery/pace.ts': [
    { from: '{ high: 0, medium: 50, low: 250 }', to: '{ high: 0, medium: 0, low: 0 }' },
    { from: 'cost = messages * MESSAGE_COST', to: 'cost = 0 * messages * MESSAGE_COST' },
  ],
};

/** Builds it into `folder`, and gives its wrangler configuration. */
export async function buildOneFramePerEvent(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const changed = new Set<string>();
  const plugin: Plugin = {
    name: 'one-frame-per-event',
    setup({ onLoad }) {
      for (const [file, changes] of Object.entries(CHANGES)) {
        const path = resolve(ROOT, file);
        onLoad({ filter: new RegExp(`/${basename(file, '.ts')}\\.ts$`) }, async (loaded) => {
          if (loaded.path !== path) return undefined;
          changed.add(file);
          return { contents: applyTo(file, await readFile(path, 'utf8'), changes), loader: 'ts' };
        });
      }
    },
  };
  await build({
    entryPoints: [resolve(ROOT, 'worker/index.ts')],
    outfile: join(folder, 'index.js'),
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    loader: { '.html': 'text', '.txt': 'text', '.sql': 'text' },
    plugins: [plugin],
    logLevel: 'error',
  });
  for (const file of Object.keys(CHANGES)) {
    if (!changed.has(file)) throw new Error(`the Worker does not contain ${file} any more`);
  }
  const config = await readFile(resolve(ROOT, 'wrangler.toml'), 'utf8');
  const path = join(folder, 'wrangler.toml');
  const main = { from: 'main = "worker/index.ts"', to: 'main = "index.js"' };
  await writeFile(path, applyTo('wrangler.toml', config, [main]));
  return path;
}

function applyTo(file: string, text: string, changes: readonly Change[]): string {
  let result = text;
  for (const { from, to } of changes) {
    if (result.split(from).length !== 2) throw new Error(`${file} does not say once: ${from}`);
    result = result.replace(from, to);
  }
  return result;
}
