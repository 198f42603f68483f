/** The whole path, one of its own: Kafka, the bridge and a Worker in workerd, for one topic. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { spawnOwned } from '../../bridge/local/processes/owned-process.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { clock, type UniformEvents } from '../support/uniform-events.ts';

/** Events of less than this much time share a request, as a busy producer's do. */
const LINGER_MS = 5;

export interface PathOptions {
  readonly stateDir: string;
  readonly topic: string;
  /** The configuration of the Worker: wrangler.toml unless given. */
  readonly configPath?: string | undefined;
  readonly bindings: Readonly<Record<string, string>>;
}

export interface Path {
  /** The Worker's. */
  readonly url: string;
  readonly workerd: number;
  readonly bridge: number;
  readonly producer: Producer;
  stop(): Promise<void>;
}

export async function startPath(options: PathOptions): Promise<Path> {
  const { stateDir, topic, configPath, bindings } = options;
  const kafka = await startKafka({ port: await freePort(), stateDir: join(stateDir, 'kafka') });
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const worker = await startWorker({
    port: await freePort(),
    stateDir: join(stateDir, 'worker'),
    bindings,
    ...(configPath !== undefined && { configPath }),
    log: (line) => console.log(`workerd: ${line}`),
  });
  const bridge = await spawnOwned(process.execPath, ['bridge/main.ts'], {
    env: {
      ...process.env,
      KAFKA_BROKERS: kafka.brokers.join(),
      KAFKA_TOPICS: topic,
      WEBSOCKET_GATEWAY_URL: worker.url,
      INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
      BRIDGE_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await said(bridge.child, 'partitions assigned');
  const producer = client.producer();
  await producer.connect();
  return {
    url: worker.url,
    workerd: worker.workerdPid() ?? 0,
    bridge: bridge.pid,
    producer,
    async stop() {
      await producer.disconnect();
      await bridge.stop(0);
      await worker.stop();
      await kafka.stop();
    },
  };
}

/** Resolves once a process has printed `text`; what it prints later is thrown away. */
export function said(child: ChildProcess, text: string): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended: ${output}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output.includes(text)) return;
      output += chunk.toString();
      if (output.includes(text)) resolve(output);
    });
  });
}

/** Producing that takes longer than this many times what was planned is another rate. */
const RATE_TOLERANCE = 1.25;
const TOLERANCE_MS = 100;

interface Rate {
  /** Events a second. */
  readonly rate: number;
  readonly count: number;
}

/**
 * Produces `count` events, `rate` a second, none waiting for the acknowledgement of the one before.
 * Resolves once Kafka has acknowledged all, with how long producing took in ms.
 */
export function produceSteadily(
  producer: Producer,
  events: UniformEvents,
  rate: Rate,
): Promise<number> {
  const compose = (at: number) => ({ key: events.key, value: events.compose(at) });
  return produceAtRate(producer, events.topic, compose, rate);
}

/** The same with any messages. @param compose makes the next one, which is produced at that time. */
export async function produceAtRate(
  producer: Producer,
  topic: string,
  compose: (at: number) => Message,
  { rate, count }: Rate,
): Promise<number> {
  const startedAt = clock();
  const acknowledged: Promise<unknown>[] = [];
  let produced = 0;
  while (produced < count) {
    const now = clock();
    const due = Math.min(count, Math.floor(((now - startedAt) * rate) / 1000) + 1);
    if (due > produced) {
      const messages = Array.from({ length: due - produced }, () => compose(now));
      produced = due;
      acknowledged.push(
        producer.send({ topic, messages, acks: 1, compression: CompressionTypes.None }),
      );
      // Before the producer knows the topic, what is sent at once may arrive in another order.
      if (acknowledged.length === 1) await acknowledged[0];
    }
    const nextAt = startedAt + (produced / rate) * 1000;
    await sleep(Math.max(LINGER_MS, nextAt - clock()));
  }
  const took = clock() - startedAt;
  await Promise.all(acknowledged);
  return took;
}

/** Whether producing took so long, in ms, that the rate was another. */
export function isLate(took: number, { rate, count }: Rate): boolean {
  const planned = ((count - 1) / rate) * 1000;
  return took > planned * RATE_TOLERANCE + TOLERANCE_MS;
}
