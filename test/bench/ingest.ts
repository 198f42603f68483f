/**
 * Records per second through bridge, Worker and Room, beside the least that could be done instead:
 * a kafkajs consumer that parses each value and POSTs the same batches to a server that does
 * nothing.
 *
 * Both run warm and side by side on the same topics, each in its own group, and take turns: while
 * one works the other is stopped (SIGSTOP), and both are while a round's records are written. A
 * round's time is from SIGCONT until the group has committed all of it. CPU time is the kernel's
 * count for the processes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { cpuTime } from './cpu-time.ts';
import { type MarketRecord, market } from './market.ts';
import { median } from './median.ts';
import { said } from './path.ts';

const RECORDS = 60_000;
const ROUNDS = 5;
const TOPICS = ['price.updates', 'order.book.updates', 'trade.notifications'];
const PARTITIONS = 3;
const POLL_MS = 10;
/** A stopped member must not be thrown out of its group. */
const SESSION_TIMEOUT_MS = 120_000;

interface Contender {
  readonly group: string;
  readonly child: ChildProcess;
  /** The processes whose CPU time counts, by name. */
  readonly processes: Readonly<Record<string, number>>;
}

interface Round {
  readonly perSecond: number;
  /** CPU time per record in µs, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

export async function benchIngest(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const kafka = await startKafka({ port: await freePort(), stateDir: join(stateDir, 'kafka') });
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({
    topics: TOPICS.map((topic) => ({ topic, numPartitions: PARTITIONS })),
    waitForLeaders: true,
  });
  const worker = await startWorker({ port: await freePort(), stateDir: join(stateDir, 'worker') });
  const gateway = await startBridge(kafka.brokers, worker.url, worker.workerdPid() ?? 0);
  const baseline = await startBaseline(kafka.brokers);
  try {
    const rounds: { gateway: Round; baseline: Round }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      stop(gateway, 'SIGSTOP');
      stop(baseline, 'SIGSTOP');
      await write(client, market(round, RECORDS));
      // Whoever goes first alternates, so that a trend of the machine favours neither.
      const order = round % 2 === 0 ? [gateway, baseline] : [baseline, gateway];
      const results = new Map<Contender, Round>();
      for (const contender of order) results.set(contender, await measure(contender, admin));
      const result = { gateway: of(results, gateway), baseline: of(results, baseline) };
      report(round === 0 ? 'warm-up' : `round ${round}`, result.gateway, result.baseline);
      if (round > 0) rounds.push(result);
    }
    const medianOf = (pick: (round: (typeof rounds)[number]) => number) =>
      median(rounds.map((round) => pick(round)));
    console.log(
      `median    ratio ${medianOf((r) => r.gateway.perSecond / r.baseline.perSecond).toFixed(2)}` +
        `, gateway ${Math.round(medianOf((r) => r.gateway.perSecond))} records/s` +
        `, baseline ${Math.round(medianOf((r) => r.baseline.perSecond))} records/s`,
    );
    for (const name of Object.keys(gateway.processes)) {
      const cpu = medianOf((r) => r.gateway.cpu[name] ?? 0);
      console.log(`          ${name} ${cpu.toFixed(1)} µs CPU per record`);
    }
    for (const name of Object.keys(baseline.processes)) {
      const cpu = medianOf((r) => r.baseline.cpu[name] ?? 0);
      console.log(`          ${name} ${cpu.toFixed(1)} µs CPU per record`);
    }
  } finally {
    for (const { child } of [gateway, baseline]) child.kill('SIGKILL');
    await admin.disconnect();
    await worker.stop();
    await kafka.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function startBridge(
  brokers: readonly string[],
  url: string,
  workerd: number,
): Promise<Contender> {
  const group = 'bench-gateway';
  const child = spawn(process.execPath, ['bridge/main.ts'], {
    env: {
      ...process.env,
      KAFKA_BROKERS: brokers.join(),
      KAFKA_GROUP_ID: group,
      KAFKA_TOPICS: TOPICS.join(),
      KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      WEBSOCKET_GATEWAY_URL: url,
      INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
      BRIDGE_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await said(child, 'partitions assigned');
  return { group, child, processes: { bridge: child.pid ?? 0, workerd } };
}

async function startBaseline(brokers: readonly string[]): Promise<Contender> {
  const group = 'bench-baseline';
  const server = spawn(process.execPath, [join(import.meta.dirname, 'null-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => server.kill('SIGKILL'));
  const port = (await said(server, 'port ')).match(/port (\d+)/)?.[1];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'baseline-consumer.ts')], {
    env: {
      ...process.env,
      KAFKA_BROKERS: brokers.join(),
      KAFKA_GROUP_ID: group,
      KAFKA_TOPICS: TOPICS.join(),
      SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      URL: `http://127.0.0.1:${port}/v1/events`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await said(child, 'joined');
  return { group, child, processes: { consumer: child.pid ?? 0, server: server.pid ?? 0 } };
}

async function write(client: Kafka, records: readonly MarketRecord[]): Promise<void> {
  const producer = client.producer();
  await producer.connect();
  const byTopic = Map.groupBy(records, ({ topic }) => topic);
  for (const [topic, own] of byTopic) {
    for (let from = 0; from < own.length; from += 1_000) {
      const messages = own.slice(from, from + 1_000).map(({ key, value }) => ({ key, value }));
      await producer.send({ topic, messages, compression: CompressionTypes.None });
    }
  }
  await producer.disconnect();
}

async function measure(contender: Contender, admin: Admin): Promise<Round> {
  const ends = await offsets(admin);
  const before = cpuTimes(contender);
  const startedAt = performance.now();
  stop(contender, 'SIGCONT');
  while ((await committed(contender, admin)) < ends) await sleep(POLL_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  stop(contender, 'SIGSTOP');
  const after = cpuTimes(contender);
  const cpu = Object.fromEntries(
    Object.entries(after).map(([name, time]) => [name, (time - (before[name] ?? 0)) / RECORDS]),
  );
  return { perSecond: RECORDS / seconds, cpu };
}

async function offsets(admin: Admin): Promise<number> {
  const topics = await Promise.all(TOPICS.map((topic) => admin.fetchTopicOffsets(topic)));
  return topics.flat().reduce((sum, { offset }) => sum + Number(offset), 0);
}

async function committed({ group }: Contender, admin: Admin): Promise<number> {
  const topics = await admin.fetchOffsets({ groupId: group, topics: TOPICS });
  return topics
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

/** µs, by process. */
function cpuTimes({ processes }: Contender): Record<string, number> {
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, cpuTime(pid)]));
}

function stop({ child }: Contender, signal: 'SIGSTOP' | 'SIGCONT'): void {
  child.kill(signal);
}

function of(results: ReadonlyMap<Contender, Round>, contender: Contender): Round {
  const round = results.get(contender);
  if (round === undefined) throw new Error('not measured');
  return round;
}

function report(name: string, gateway: Round, baseline: Round): void {
  const cpu = [...Object.entries(gateway.cpu), ...Object.entries(baseline.cpu)]
    .map(([process, time]) => `${process} ${time.toFixed(1)}`)
    .join(', ');
  console.log(
    `${name.padEnd(10)}gateway ${Math.round(gateway.perSecond)}/s, baseline ` +
      `${Math.round(baseline.perSecond)}/s, ratio ` +
      `${(gateway.perSecond / baseline.perSecond).toFixed(2)}; µs CPU per record: ${cpu}`,
  );
}
