/** What a page has to load. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const ENTRY = new URL('../../worker/client/index.ts', import.meta.url).pathname;
/** A page's budget; what the client has to know leaves little of it. */
const MAX_BYTES = 7_250;

test('the client is small when minified and gzipped, and brings nothing else along', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    write: false,
    metafile: true,
  });
  const [output] = Object.values(metafile.outputs);
  expect(output?.imports).toEqual([]);
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('worker/client/'));
  expect(inputs).toEqual([]);
  const { length } = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 });
  expect(length).toBeLessThanOrEqual(MAX_BYTES);
});
