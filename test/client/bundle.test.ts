/** What a page has to load, and what its browser has to know. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const pathOf = (relative: string) => new URL(relative, import.meta.url).pathname;
const ENTRY = pathOf('../../worker/client/index.ts');
const HOOKS = pathOf('../../worker/client/react/index.ts');
/** A page's budget; what the client has to know leaves little of it. */
const MAX_BYTES = 8_192;
const MAX_HOOKS_BYTES = 1_700;
/** The lowest browsers that worker/client/README.md names. */
const LOWEST_BROWSERS = ['chrome124', 'firefox125', 'safari17.4'];

const bundle = (target: string | string[], entry = ENTRY) =>
  build({
    entryPoints: [entry],
    external: ['react'],
    bundle: true,
    minify: true,
    format: 'esm',
    target,
    write: false,
    metafile: true,
  });

test('the client is small when minified and gzipped, and brings nothing else along', async () => {
  const { outputFiles, metafile } = await bundle(LOWEST_BROWSERS);
  const [output] = Object.values(metafile.outputs);
  expect(output?.imports).toEqual([]);
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('worker/client/'));
  expect(inputs).toEqual([]);
  const { length } = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 });
  expect(length).toBeLessThanOrEqual(MAX_BYTES);
});

test('the hooks for React are small, and bring neither the client nor React along', async () => {
  const { outputFiles, metafile } = await bundle(LOWEST_BROWSERS, HOOKS);
  const [output] = Object.values(metafile.outputs);
  expect(new Set(output?.imports.map(({ path }) => path))).toEqual(new Set(['react']));
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('/react/'));
  expect(inputs).toEqual([]);
  const { length } = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 });
  expect(length).toBeLessThanOrEqual(MAX_HOOKS_BYTES);
});

test('the lowest browsers know all of its syntax: nothing is rewritten for them', async () => {
  const [lowest, newest] = await Promise.all([bundle(LOWEST_BROWSERS), bundle('esnext')]);
  expect(lowest.outputFiles[0]?.text).toBe(newest.outputFiles[0]?.text);
});
