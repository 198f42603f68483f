/** Runs the bridge until SIGTERM or SIGINT, then drains it in order. `npm run bridge` */

import { ConfigError } from '../worker/protocol/environment/variables.ts';
import { startBridge } from './bridge.ts';
import { readConfig } from './config.ts';
import { killAfter } from './deadline.ts';
import { createLog } from './shared/log.ts';

/** The part of the deadline after which answers are no longer awaited. */
const ABANDON_AT = 0.6;

const config = await readConfig(process.env).catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`${error.message}. \`npm run doctor\` shows what else is wrong.`);
  process.exit(1);
});
const log = createLog(config.logLevel);
const bridge = await startBridge(config, log).catch((error: unknown) => {
  // Only the server listens, and only it looks a host up before that.
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
  const { host, port } = config;
  const isTaken = error.code === 'EADDRINUSE';
  console.error(
    isTaken
      ? `BRIDGE_PORT ${port} is in use, perhaps by another bridge: set another.`
      : `BRIDGE_HOST ${host} and BRIDGE_PORT ${port} cannot be served: ${error.message}`,
  );
  process.exit(1);
});
log.info({ port: bridge.port, events: config.eventsUrl.href }, 'bridge started');

const { shutdownTimeoutMs } = config;
let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    killAfter(shutdownTimeoutMs);
    setTimeout(bridge.abandon, shutdownTimeoutMs * ABANDON_AT).unref();
    await bridge.stop();
    log.info('stopped');
    process.exit(0);
  });
}
