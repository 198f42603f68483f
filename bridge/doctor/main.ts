/** `npm run doctor`: what the bridge would meet with the variables that are set. It changes nothing. */
import { parseArgs } from 'node:util';
import { examine, isHealthy } from './examine.ts';
import { printed } from './print.ts';

const DEFAULT_PATIENCE_SECONDS = 5;
const MAX_PATIENCE_SECONDS = 60;

const USAGE = `usage: npm run doctor [-- --json] [-- --timeout SECONDS]

Tells what a bridge would meet that has the variables of this environment: its own variables, the
gateway, Kafka, the topics, the rights and the consumer group. It changes nothing. Its exit code is
0 when nothing failed, and 1 otherwise.
--json             prints {"healthy", "checks"} instead of lines
--timeout SECONDS  after how long without an answer a host is given up: ${DEFAULT_PATIENCE_SECONDS} unless given`;

const { json, help, seconds } = readArguments();
if (help) {
  console.log(USAGE);
} else {
  if (!json) console.log(`Nothing is changed. A host is given up after ${seconds} s.\n`);
  const means = { env: process.env, now: Date.now, patienceMs: seconds * 1000 };
  const checks = await examine(means);
  const healthy = isHealthy(checks);
  console.log(json ? JSON.stringify({ healthy, checks }, null, 2) : printed(checks));
  // A socket to a broker that is paused would keep the process for some seconds.
  process.exit(healthy ? 0 : 1);
}

function readArguments(): { json: boolean; help: boolean; seconds: number } {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean' },
        timeout: { type: 'string' },
      },
    });
    const seconds = Number(values.timeout ?? DEFAULT_PATIENCE_SECONDS);
    if (!(seconds > 0 && seconds <= MAX_PATIENCE_SECONDS)) {
      throw new Error(`--timeout is a number of seconds up to ${MAX_PATIENCE_SECONDS}`);
    }
    return { json: values.json ?? false, help: values.help ?? false, seconds };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}
