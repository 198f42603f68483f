/**
 * A process of its own, since what it tries may freeze it: a kafkajs runner that is stopped while
 * the cluster's list of brokers changes. Exits with 0 when the stop came to its end. Run with
 * `unpatched` it shows what kafkajs does by itself.
 */
import { createRequire } from 'node:module';
import { setImmediate as immediately } from 'node:timers/promises';
import { patchKafkajs } from '../../bridge/kafka/kafkajs/patch.ts';

if (process.argv[2] !== 'unpatched') patchKafkajs();

const require = createRequire(import.meta.url);
const Runner = require('kafkajs/src/consumer/runner');
const Emitter = require('kafkajs/src/instrumentation/emitter');
const { createLogger } = require('kafkajs/src/loggers');

const log = createLogger({ level: 0, logCreator: () => () => undefined });
let nodeIds = ['1', '2'];
const { promise: longPoll, resolve: answer } = Promise.withResolvers<void>();
const { promise: seen, resolve: see } = Promise.withResolvers<void>();

const runner = new Runner({
  logger: log,
  instrumentationEmitter: new Emitter(),
  concurrency: 1,
  retry: { retries: 2, initialRetryTime: 10 },
  onCrash: () => undefined,
  consumerGroup: {
    groupId: 'group',
    memberId: 'member',
    offsetManager: {},
    connect: async () => undefined,
    joinAndSync: async () => undefined,
    leave: async () => undefined,
    heartbeat: async () => undefined,
    getNodeIds: () => {
      if (nodeIds.length === 3) see();
      return nodeIds;
    },
    // Broker 1 holds its answer back; broker 2 answers, and finds the list changed the next time.
    fetch: async (nodeId: string) => {
      if (nodeId === '1') await longPoll;
      else await immediately();
      return [];
    },
  },
});

await runner.start();
nodeIds = ['1', '2', '3'];
// Broker 2's loop sees the change and waits for broker 1's; the stop comes in between.
await seen;
await immediately();
const stopped = runner.stop();
answer();
await stopped;
process.exit(0);
