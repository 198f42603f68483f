/** The bridge as a process of its own, configured by its environment: `npm run bridge` runs the same. */
import { fileURLToPath } from 'node:url';
import { type OwnedProcess, spawnOwned } from './owned-process.ts';
import type { Running } from './supervised.ts';

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));
/** The time for batches in flight to be answered and committed, in ms. */
const STOP_GRACE_MS = 5000;

export interface RunningBridge extends Running {
  readonly pid: number;
}

export async function startBridge(env: NodeJS.ProcessEnv): Promise<RunningBridge> {
  const bridge: OwnedProcess = await spawnOwned(process.execPath, [MAIN], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { pid: bridge.pid, exited: bridge.exited, stop: () => bridge.stop(STOP_GRACE_MS) };
}
