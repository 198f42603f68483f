/** `npm start`: the local stack, until somebody ends it. */
import { once } from 'node:events';
import { ConfigError } from '../../worker/protocol/environment/variables.ts';
import { banner } from './banner.ts';
import { readConfig } from './config.ts';
import { demoToken } from './demo-token.ts';
import { listenForEnd } from './processes/shutdown.ts';
import { SetupError } from './setup-error.ts';
import { type StackLog, startStack } from './stack.ts';

const PART_WIDTH = 8;
const log: StackLog = (part, line) => console.log(`${part.padEnd(PART_WIDTH)}${line}`);
// Whoever read what we print may be gone, and that must not keep us from stopping.
process.stdout.on('error', () => {});

const shutdown = new AbortController();
listenForEnd(
  () => {
    console.log('\nstopping (once more to force it)');
    shutdown.abort();
  },
  // Everything that still runs ends with this process.
  () => process.exit(1),
);

try {
  const config = await readConfig(process.env);
  const stack = await startStack(config, log, shutdown.signal);
  console.log(banner(config, stack.brokers, await demoToken(config.jwtSecret)));
  if (!shutdown.signal.aborted) await once(shutdown.signal, 'abort');
  await stack.stop();
  console.log('stopped');
} catch (error) {
  if (!shutdown.signal.aborted) {
    const isForPeople = error instanceof SetupError || error instanceof ConfigError;
    console.error(isForPeople ? error.message : error);
    process.exitCode = 1;
  }
}
process.exit();
