/**
 * Builds what `npm pack` ships: each entry as one ES module and as one CommonJS module, with its types
 * beside it. tsc has written the declarations of all files before; of these, each entry's types keep
 * what can be reached from it, so that users compile no more than what is public.
 */
import { fileURLToPath } from 'node:url';
import type { RolldownOptions } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const ENTRIES = {
  index: 'bridge/publisher/index',
  client: 'worker/client/index',
  react: 'worker/client/react/index',
};
/** Where `.tsconfig.dist.json` has the declarations written. */
const DECLARATIONS = './.tsbuild/package';

/** The hooks take the client's types from its own entry: two declarations of a class are two types. */
const CLIENT = fileURLToPath(new URL(`${DECLARATIONS}/${ENTRIES.client}.d.ts`, import.meta.url));
/** Frameworks that render on a server are told that hooks run in a browser. */
const BANNERS: Partial<Record<string, string>> = { react: "'use client';" };

/** One build for each entry and kind: two entries of one build would share a third file. */
const options: RolldownOptions[] = Object.entries(ENTRIES).flatMap(([name, entry]) => [
  {
    input: { [name]: `${entry}.ts` },
    platform: name === 'index' ? 'node' : 'neutral',
    external: ['kafkajs', 'valibot', 'react'],
    transform: { target: 'es2022' },
    output: [
      { dir: 'dist', format: 'es', entryFileNames: '[name].js', banner: BANNERS[name] ?? '' },
      {
        dir: 'dist',
        format: 'cjs',
        entryFileNames: '[name].cjs',
        exports: 'named',
        banner: BANNERS[name] ?? '',
      },
    ],
  },
  {
    input: { [name]: `${DECLARATIONS}/${entry}.d.ts` },
    external: name === 'react' ? ['react', CLIENT] : ['kafkajs'],
    checks: { pluginTimings: false },
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false })],
    output: [
      {
        dir: 'dist',
        format: 'es',
        entryFileNames: '[name].ts',
        paths: { [CLIENT]: './client.js' },
      },
      {
        dir: 'dist',
        format: 'es',
        entryFileNames: '[name].cts',
        paths: { [CLIENT]: './client.cjs' },
      },
    ],
  },
]);

export default options;
