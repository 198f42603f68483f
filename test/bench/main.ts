/** `npm run bench -- NAME`: measures on this machine, as ratios within one run. */
import { benchIngest } from './ingest.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = { ingest: benchIngest };

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}`);
  process.exit(1);
}
await bench();
process.exit();
