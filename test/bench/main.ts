/** `npm run bench -- NAME`: measures on this machine, as ratios within one run. */
import { benchFanout } from './fanout.ts';
import { benchIngest } from './ingest.ts';
import { benchPeers } from './peers/peers.ts';
import { benchSlowReaders } from './slow-readers.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  ingest: benchIngest,
  fanout: benchFanout,
  peers: benchPeers,
  'slow-readers': benchSlowReaders,
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}`);
  process.exit(1);
}
await bench(process.argv.slice(3));
process.exit();
