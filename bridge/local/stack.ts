/**
 * The whole path on one machine: Kafka, the Worker in workerd, the bridge between them, and a sample
 * feed. They are started in that order and stopped in the reverse order. A part that dies in between is
 * started again.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StackConfig } from './config.ts';
import { startDemoService } from './demo-service.ts';
import { startKafka } from './kafka/kafka.ts';
import { PAIRS } from './market/exchange/pairs.ts';
import { EVENTS_PER_SECOND } from './market/feed.ts';
import { USER_COUNT } from './market/users.ts';
import { startBridge } from './processes/bridge-process.ts';
import { startFeed } from './processes/feed-process.ts';
import { acquireLock } from './processes/file-lock.ts';
import { requireFreePort } from './processes/port.ts';
import { Supervised } from './processes/supervised.ts';
import { waitUntilReady } from './readiness.ts';
import { SetupError } from './setup-error.ts';
import { startWorker } from './worker/worker.ts';

/** The variables of the Worker that may be set for the local one too. */
const WORKER_VARIABLES = [
  'HOME_REGION',
  'ROOM_MAX_SOCKETS',
  'ROOM_MAX_FOLLOWERS',
  'SYMBOLS',
  'PAGE',
] as const;

/** Ctrl-C is to be done within ten seconds. The bridge's process is given a second more than this. */
const BRIDGE_DRAIN_MS = 4000;

export type StackLog = (part: 'kafka' | 'worker' | 'bridge' | 'feed', line: string) => void;

export interface Stack {
  readonly brokers: string;
  stop(): Promise<void>;
}

/**
 * Starts all parts and waits until each says that it is ready.
 * @throws {SetupError} when a part does not become ready. The parts before it are stopped then.
 */
export async function startStack(
  config: StackConfig,
  log: StackLog,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Stack> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (let last = stops.pop(); last !== undefined; last = stops.pop()) await last();
  };
  try {
    await requireFreePort(config.port, 'PORT');
    await requireFreePort(config.bridgePort, 'BRIDGE_PORT');
    stops.push(await claim(config.stateDir));

    const brokers = await runKafka(config, log, signal, stops);
    const demo = await runDemo(config, brokers, stops);
    const url = await runWorker(config, demo, log, signal, stops, env);
    await runBridge(config, brokers, url, log, signal, stops, env);
    await runFeed(config, brokers, log, signal, stops, env);
    return { brokers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Kafka's data and the rooms' belong together, so that no two stacks may share a part of them. */
async function claim(stateDir: string): Promise<() => void> {
  await mkdir(stateDir, { recursive: true });
  const lock = acquireLock(join(stateDir, 'lock'));
  if (lock === undefined) {
    throw new SetupError(
      `Another stack runs on the state folder ${stateDir}: stop it, or set STATE_DIR to another folder.`,
    );
  }
  return () => lock.release();
}

type Stops = (() => Promise<void> | void)[];

async function runKafka(
  config: StackConfig,
  log: StackLog,
  signal: AbortSignal,
  stops: Stops,
): Promise<string> {
  if (config.kafka.kind === 'given') return config.kafka.brokers;
  const { port } = config.kafka;
  const onProgress = (line: string) => log('kafka', line);
  const launch = (signal: AbortSignal) =>
    startKafka({ port, stateDir: join(config.stateDir, 'kafka'), onProgress, signal });
  const kafka = await Supervised.start({ name: 'Kafka', launch, log: onProgress }, signal);
  stops.push(() => kafka.stop());
  return kafka.part?.brokers.join(',') ?? '';
}

/** @returns where the Worker reaches it. */
async function runDemo(
  { jwtSecret, kafka }: StackConfig,
  brokers: string,
  stops: Stops,
): Promise<string> {
  const demo = await startDemoService({
    jwtSecret,
    brokers: kafka.kind === 'own' ? brokers : undefined,
  });
  stops.push(() => demo.stop());
  return demo.address;
}

async function runWorker(
  config: StackConfig,
  local: string,
  log: StackLog,
  signal: AbortSignal,
  stops: Stops,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  log('worker', 'starting');
  const onLog = (line: string) => log('worker', line);
  const variables = WORKER_VARIABLES.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const bindings = {
    PAGE: 'on',
    ...Object.fromEntries(variables),
    INGEST_SECRET: config.ingestSecret,
    PUBLISHER_SECRET: config.publisherSecret,
    JWT_SECRET: config.jwtSecret,
  };
  const launch = (signal: AbortSignal) =>
    startWorker({
      port: config.port,
      stateDir: join(config.stateDir, 'worker'),
      bindings,
      local,
      log: onLog,
      signal,
    });
  const worker = await Supervised.start({ name: 'The Worker', launch, log: onLog }, signal);
  stops.push(() => worker.stop());
  const url = `http://127.0.0.1:${config.port}`;
  await waitUntilReady('The Worker', `${url}/health`, signal);
  log('worker', 'is healthy');
  return url;
}

async function runBridge(
  config: StackConfig,
  brokers: string,
  url: string,
  log: StackLog,
  signal: AbortSignal,
  stops: Stops,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  log('bridge', 'starting');
  const launch = () =>
    startBridge({
      LOG_LEVEL: 'warn',
      BRIDGE_SHUTDOWN_TIMEOUT_MS: String(BRIDGE_DRAIN_MS),
      ...env,
      KAFKA_BROKERS: brokers,
      WEBSOCKET_GATEWAY_URL: url,
      INGEST_SECRET: config.ingestSecret,
      BRIDGE_PORT: String(config.bridgePort),
    });
  const onLog = (line: string) => log('bridge', line);
  const bridge = await Supervised.start({ name: 'The bridge', launch, log: onLog }, signal);
  stops.push(() => bridge.stop());
  await waitUntilReady('The bridge', `http://127.0.0.1:${config.bridgePort}/ready`, signal);
  log('bridge', 'is ready');
}

/** It is not waited for, because a gateway is up without a feed, too. */
async function runFeed(
  { feed }: StackConfig,
  brokers: string,
  log: StackLog,
  signal: AbortSignal,
  stops: Stops,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (feed === undefined) return;
  const launch = () => startFeed(feed, brokers, env);
  const onLog = (line: string) => log('feed', line);
  const running = await Supervised.start({ name: 'The feed', launch, log: onLog }, signal);
  stops.push(() => running.stop());
  const rate = Math.round(EVENTS_PER_SECOND * feed.speed);
  onLog(`${PAIRS.length} pairs, ${USER_COUNT} users, about ${rate} events/s`);
}
