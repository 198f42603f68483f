/**
 * A real Apache Kafka on this machine, in KRaft mode, without Docker: on a port, with its data in a
 * folder, for as long as our process lives. The local stack and the tests share it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { patchKafkajs } from '../../kafka/kafkajs/patch.ts';
import { type Ending, type OwnedProcess, spawnOwned } from '../processes/owned-process.ts';
import { freePort, LOOPBACK, requireFreePort } from '../processes/port.ts';
import { SetupError } from '../setup-error.ts';
import { findJava } from './java.ts';
import { kafkaLibraries } from './kafka-libraries.ts';
import { kafkaProperties } from './kafka-properties.ts';

/** A start takes three seconds on two cores; a recovery after a crash some more. */
const START_DEADLINE_MS = 60_000;
const POLL_MS = 100;
const CONNECT_TIMEOUT_MS = 1000;
/** An orderly stop takes one or two seconds. A development broker loses nothing when it is forced. */
const STOP_GRACE_MS = 5000;
/** Start quickly and stay small: one node needs neither the second compiler nor a parallel collector. */
const JVM_OPTIONS = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const LOG_OPTIONS = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

const execute = promisify(execFile);

export interface KafkaOptions {
  readonly port: number;
  /** Where it keeps its data. On the next start there it goes on as the same cluster. */
  readonly stateDir: string;
  /** Settings of the broker that stand in for ours. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunningKafka {
  readonly brokers: readonly string[];
  readonly clusterId: string;
  readonly pid: number;
  readonly exited: Promise<Ending>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a broker and waits until it answers.
 * @throws {SetupError} when something that it needs is missing, or it does not come up.
 */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  patchKafkajs();
  const { port, onProgress, signal } = options;
  const folder = resolve(options.stateDir);
  const dataDir = join(folder, 'data');
  const logFile = join(folder, 'kafka.log');
  const propertiesFile = join(folder, 'server.properties');

  await requireFreePort(port, 'KAFKA_PORT');
  const java = await findJava();
  const libraries = await kafkaLibraries({ onProgress, signal });
  const javaArgs = [...JVM_OPTIONS, ...LOG_OPTIONS, '-cp', join(libraries, '*')];

  await mkdir(folder, { recursive: true });
  const properties = kafkaProperties(port, await freePort(), dataDir, options.settings);
  await writeFile(propertiesFile, properties);
  if (!existsSync(join(dataDir, 'meta.properties'))) {
    onProgress?.('formatting a new state folder');
    await format(java, javaArgs, propertiesFile);
  }
  signal?.throwIfAborted();

  onProgress?.('starting');
  const log = await open(logFile, 'w');
  const broker = await spawnOwned(java, [...javaArgs, 'kafka.Kafka', propertiesFile], {
    cwd: folder,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const brokers = [`${LOOPBACK}:${port}`];
  try {
    const clusterId = await waitUntilItAnswers(broker, brokers, logFile, signal);
    onProgress?.('answers');
    return {
      brokers,
      clusterId,
      pid: broker.pid,
      exited: broker.exited,
      stop: () => broker.stop(STOP_GRACE_MS),
      kill: (name) => void broker.child.kill(name),
    };
  } catch (error) {
    await broker.stop(0);
    throw error;
  }
}

/** Names the cluster, once for the life of its folder, because a room tells clusters apart by it. */
async function format(java: string, javaArgs: string[], propertiesFile: string): Promise<void> {
  // Kafka's ids are 16 bytes in URL-safe base64. A leading "-" would be read as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const tool = [...javaArgs, 'kafka.tools.StorageTool', 'format', '--ignore-formatted'];
  await execute(java, [...tool, '--cluster-id', clusterId, '--config', propertiesFile]);
}

async function waitUntilItAnswers(
  broker: OwnedProcess,
  brokers: string[],
  logFile: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  let ending: Ending | undefined;
  void broker.exited.then((how) => {
    ending = how;
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (ending === undefined && Date.now() < deadline) {
    signal?.throwIfAborted();
    const clusterId = await askForClusterId(brokers);
    if (clusterId !== undefined) return clusterId;
    await sleep(POLL_MS);
  }
  const what = ending === undefined ? 'did not answer in time' : `ended while starting (${ending})`;
  throw new SetupError(`Kafka ${what}: ${await lastError(logFile)}; its log is ${logFile}.`);
}

/** The cluster's id, once a broker has joined it and consumer groups can. */
async function askForClusterId(brokers: string[]): Promise<string | undefined> {
  const admin = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) return undefined;
    // Makes the topic of committed offsets; the first consumer would find no coordinator yet.
    await admin.describeGroups(['none']);
    return cluster.clusterId;
  } catch {
    return undefined;
  } finally {
    await admin.disconnect();
  }
}

async function lastError(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).split('\n');
  const line = lines.findLast((text) => /ERROR|Exception/.test(text)) ?? lines.findLast(Boolean);
  return line?.trim() ?? 'it wrote nothing';
}
