/**
 * Builds what `npm pack` ships: each entry as one ES module and as one CommonJS module, with its types
 * beside it. tsc has written the declarations of all files before; of these, each entry's types keep
 * what can be reached from it, so that users compile no more than what is public.
 */
import type { RolldownOptions } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const ENTRIES = { index: 'bridge/publisher/index', client: 'worker/client/index' };
/** Where `.tsconfig.dist.json` has the declarations written. */
const DECLARATIONS = './.tsbuild/package';

/** One build for each entry and kind: two entries of one build would share a third file. */
const options: RolldownOptions[] = Object.entries(ENTRIES).flatMap(([name, entry]) => [
  {
    input: { [name]: `${entry}.ts` },
    platform: name === 'client' ? 'neutral' : 'node',
    external: ['kafkajs', 'valibot'],
    transform: { target: 'es2022' },
    output: [
      { dir: 'dist', format: 'es', entryFileNames: '[name].js' },
      { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', exports: 'named' },
    ],
  },
  {
    input: { [name]: `${DECLARATIONS}/${entry}.d.ts` },
    external: ['kafkajs'],
    checks: { pluginTimings: false },
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false })],
    output: [
      { dir: 'dist', format: 'es', entryFileNames: '[name].ts' },
      { dir: 'dist', format: 'es', entryFileNames: '[name].cts' },
    ],
  },
]);

export default options;
