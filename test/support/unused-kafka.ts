/**
 * A broker on which nobody has ever asked for a group, so that it has no topic at all, not even Kafka's own.
 * The one of the local stack has been asked when it is ready.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Admin } from 'kafkajs';
import { findJava } from '../../bridge/local/kafka/java.ts';
import { kafkaLibraries } from '../../bridge/local/kafka/kafka-libraries.ts';
import { kafkaProperties } from '../../bridge/local/kafka/kafka-properties.ts';
import { spawnOwned } from '../../bridge/local/processes/owned-process.ts';
import { freePorts, LOOPBACK } from '../../bridge/local/processes/port.ts';
import { kafka } from './kafka.ts';
import { until } from './until.ts';

const execute = promisify(execFile);
const START_DEADLINE_MS = 60_000;
const CLUSTER_ID = 'UnusedUnusedUnusedUnus';

export interface UnusedKafka {
  readonly broker: string;
  readonly admin: Admin;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export async function startUnusedKafka(): Promise<UnusedKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-unused-kafka-'));
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const properties = join(folder, 'server.properties');
  const logDir = join(folder, 'data');
  await writeFile(properties, kafkaProperties(port, controllerPort, logDir));
  const java = await findJava();
  const args = ['-Xmx512m', '-cp', join(await kafkaLibraries(), '*')];
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', CLUSTER_ID];
  await execute(java, [...args, ...format, '--config', properties]);
  const process = await spawnOwned(java, [...args, 'kafka.Kafka', properties], { stdio: 'ignore' });
  const broker = `${LOOPBACK}:${port}`;
  const admin = kafka([broker]).admin();
  const answers = async () => {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  };
  await until('a broker', answers, START_DEADLINE_MS);
  return {
    broker,
    admin,
    kill: (signal) => void process.child.kill(signal),
    async stop() {
      await admin.disconnect();
      await process.stop(5_000);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
