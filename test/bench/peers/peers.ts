/**
 * The gateway beside what else one would take: kafkajs with Socket.IO, kafkajs with ws, and Centrifugo
 * where its program is on the PATH. One producer writes prices to one real Kafka, and each contender
 * takes them to the sockets of the same bare clients. They take turns, in rounds whose order alternates;
 * each turn has servers that are new, alone on the first core.
 *
 * Latency is from just before an event is handed to Kafka until a client has read it. CPU time is that of
 * all processes of the contender, and not Kafka's.
 *
 * BENCH_CONTENDERS  gateway,socket.io,ws,centrifugo
 * BENCH_SCENARIOS   A1000,A100,B,C
 * BENCH_ROUNDS      3
 * BENCH_SECONDS     1.5            of each step
 * BENCH_ORDINARY    10000,40000    deliveries a second that all get
 * BENCH_MOST        4000000        deliveries a second to which a climb goes
 * BENCH_NODE_ARGS                  for the servers on Node, such as --cpu-prof
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../../bridge/local/processes/port.ts';
import { until } from '../../support/until.ts';
import { reserveServerCore } from '../cores.ts';
import { Clients } from './clients.ts';
import { isOnPath, startContender } from './contenders.ts';
import { CONTENDERS, type ContenderName } from './dialects.ts';
import { Load } from './load.ts';
import { report, tell } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Step } from './step.ts';
import { type Rest, Turn, type TurnPlan } from './turn.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const PLAN: Omit<TurnPlan, 'round'> = {
  scenarios: chosen('BENCH_SCENARIOS', SCENARIOS, ({ id }) => id),
  seconds: Number(process.env.BENCH_SECONDS ?? 1.5),
  ordinary: (process.env.BENCH_ORDINARY ?? '10000,40000').split(',').map(Number),
  most: Number(process.env.BENCH_MOST ?? 4_000_000),
};
const NODE_ARGS = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((arg) => arg !== '');
const TOPIC = 'price.updates';
const PARTITIONS = 3;
const JOIN_WITHIN_MS = 30_000;

export async function benchPeers(): Promise<void> {
  const names = contenders();
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const core = reserveServerCore();
  const kafka = await startKafka({ port: await freePort(), stateDir: join(folder, 'kafka') });
  const [broker = ''] = kafka.brokers;
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({
    topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
    waitForLeaders: true,
  });
  const clients = new Clients();
  const load = new Load(TOPIC, producer, clients);
  const [steps, rests]: [Step[], Rest[]] = [[], []];
  const observer = {
    step(step: Step) {
      steps.push(step);
      tell(step);
    },
    rest: (rest: Rest) => rests.push(rest),
  };
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      // Whoever goes first alternates, so that a trend of the machine favours nobody.
      for (const name of round % 2 === 1 ? names : names.toReversed()) {
        const group = `${name}-${round}`;
        const home = join(folder, group);
        await mkdir(home);
        await beginAtEnd(admin, group);
        const surroundings = {
          broker,
          topic: TOPIC,
          group,
          folder: home,
          core,
          nodeArgs: NODE_ARGS,
        };
        const contender = await startContender(name, surroundings);
        try {
          await hasJoined(admin, group);
          await new Turn({ contender, clients, load, core }, { ...PLAN, round }, observer).run();
        } catch (error) {
          console.log(`${name} failed in round ${round}:`, error);
        } finally {
          await clients.leave();
          await contender.stop();
        }
      }
    }
  } finally {
    clients.stop();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await kafka.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  report(steps, rests);
}

function contenders(): readonly ContenderName[] {
  return chosen('BENCH_CONTENDERS', CONTENDERS, (name) => name).filter((name) => {
    const isThere = name !== 'centrifugo' || isOnPath(name);
    if (!isThere)
      console.log('note: Centrifugo is left out, because its program is not on the PATH');
    return isThere;
  });
}

function chosen<Item>(
  variable: string,
  all: readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const wanted = process.env[variable]?.split(',');
  return all.filter((item) => wanted === undefined || wanted.includes(nameOf(item)));
}

/** A contender does not read what was written in the turns before. */
async function beginAtEnd(admin: Admin, groupId: string): Promise<void> {
  const partitions = (await admin.fetchTopicOffsets(TOPIC)).map(({ partition, high }) => ({
    partition,
    offset: high,
  }));
  await admin.setOffsets({ groupId, topic: TOPIC, partitions });
}

async function hasJoined(admin: Admin, group: string): Promise<void> {
  await until(
    `${group} in its group`,
    async () => {
      const [found] = (await admin.describeGroups([group])).groups;
      return found?.state === 'Stable' && found.members.length > 0;
    },
    JOIN_WITHIN_MS,
  );
}
