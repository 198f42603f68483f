/**
 * Each way to be kept out by a real Kafka has a name on the readiness page, and says what to do. The same
 * is in the log.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { readConfig } from '../../bridge/config.ts';
import { type GuardedKafka, startGuardedKafka } from '../support/guarded-kafka.ts';
import { createTopic, produce, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { startFakeWorker } from './fake-worker.ts';
import { bridgeEnvironment, observe } from './running-bridge.ts';

const TOPIC = 'guarded';
/** Kafka's word for all. Each bridge has a group of its own, so that no other holds its partitions. */
const ANY_GROUP = '*';
let guarded: GuardedKafka;

beforeAll(async () => {
  guarded = await startGuardedKafka();
  for (const name of [TOPIC, `${TOPIC}.dlq`]) await createTopic(name, 1, [guarded.plain]);
  const { grant } = guarded;
  await grant('bridge', { topic: TOPIC }, 'READ');
  await grant('bridge', { topic: `${TOPIC}.dlq` }, 'DESCRIBE');
  await grant('bridge', { group: ANY_GROUP }, 'READ');
  await grant('ungrouped', { topic: TOPIC }, 'READ');
  await grant('ungrouped', { topic: `${TOPIC}.dlq` }, 'DESCRIBE');
  await grant('onlooker', { topic: TOPIC }, 'READ');
  await grant('onlooker', { topic: `${TOPIC}.dlq` }, 'DESCRIBE');
  await grant('onlooker', { group: ANY_GROUP }, 'DESCRIBE');
  await grant('blind', { topic: TOPIC }, 'DESCRIBE');
  await grant('blind', { topic: `${TOPIC}.dlq` }, 'DESCRIBE');
  await grant('blind', { group: ANY_GROUP }, 'READ');
});

afterAll(() => guarded.stop());

/** A bridge that is never given a Worker unless one is named, and what it says. */
async function run(env: Record<string, string>, url = 'http://127.0.0.1:1') {
  const log: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      log.push(JSON.parse(String(line)));
      done();
    },
  });
  const variables = bridgeEnvironment(url, [TOPIC], {
    KAFKA_GROUP_ID: uniqueName('group'),
    ...env,
  });
  const bridge = await startBridge(await readConfig(variables), pino({ level: 'info' }, sink));
  onTestFinished(async () => {
    bridge.abandon();
    await bridge.stop();
  });
  return { ...observe(bridge.port), log };
}

function login(user: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    KAFKA_BROKERS: guarded.sasl,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: user,
    ...more,
  };
}

/** `127.0.0.1:port` of a server that does `accept` to each connection. */
async function listen(accept: (socket: Socket) => void): Promise<string> {
  const server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const named = (address: string) => address.replace('127.0.0.1', 'localhost');

interface Case {
  readonly what: string;
  readonly env: () => Record<string, string> | Promise<Record<string, string>>;
  readonly reason: string;
  readonly remedy: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: 'a name without an address',
    env: () => ({ KAFKA_BROKERS: 'kafka.invalid:9092' }),
    reason: 'kafka_dns_failed',
    remedy: /KAFKA_BROKERS.*DNS/,
  },
  {
    what: 'a port without a listener',
    env: () => ({ KAFKA_BROKERS: '127.0.0.1:1' }),
    reason: 'kafka_refused',
    remedy: /KAFKA_BROKERS/,
  },
  {
    what: 'a server that says nothing',
    env: async () => ({ KAFKA_BROKERS: await listen(() => {}) }),
    reason: 'no_answer',
    remedy: /hangs/,
  },
  {
    what: 'a server that closes at once',
    env: async () => ({ KAFKA_BROKERS: await listen((socket) => socket.end()) }),
    reason: 'kafka_closed',
    remedy: /KAFKA_SSL=true.*KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'an advertised listener that nobody reaches',
    env: () => ({ KAFKA_BROKERS: guarded.lost }),
    reason: 'kafka_listener_unreachable',
    remedy: /advertised\.listeners/,
  },
  {
    what: 'a certificate that nobody trusts',
    env: () => ({ KAFKA_BROKERS: named(guarded.tls), KAFKA_SSL: 'true' }),
    reason: 'kafka_tls_failed',
    remedy: /KAFKA_SSL_CA_FILE/,
  },
  {
    what: 'a certificate for another name',
    env: () => ({
      KAFKA_BROKERS: guarded.tls,
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: guarded.caFile,
    }),
    reason: 'kafka_tls_failed',
    remedy: /for this name/,
  },
  {
    what: 'TLS to a listener without it',
    env: () => ({ KAFKA_BROKERS: guarded.plain, KAFKA_SSL: 'true' }),
    reason: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'no TLS to a listener with it',
    env: () => ({ KAFKA_BROKERS: guarded.tls }),
    reason: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'no SASL to a listener with it',
    env: () => ({ KAFKA_BROKERS: guarded.sasl }),
    reason: 'kafka_closed',
    remedy: /KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'SASL to a listener without it',
    env: () => login('bridge', { KAFKA_BROKERS: guarded.plain }),
    reason: 'ILLEGAL_SASL_STATE',
    remedy: /no SASL/,
  },
  {
    what: 'a wrong password',
    env: () => login('bridge', { KAFKA_SASL_PASSWORD: 'wrong' }),
    reason: 'SASL_AUTHENTICATION_FAILED',
    remedy: /KAFKA_SASL_PASSWORD/,
  },
  {
    what: 'a mechanism that the listener has not',
    env: () => login('bridge', { KAFKA_SASL_MECHANISM: 'scram-sha-512' }),
    reason: 'UNSUPPORTED_SASL_MECHANISM',
    remedy: /KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'no right on the group',
    env: () => login('ungrouped'),
    reason: 'GROUP_AUTHORIZATION_FAILED',
    remedy: /READ.*KAFKA_GROUP_ID/,
  },
  {
    what: 'a right to see the group, and none to join it',
    env: () => login('onlooker'),
    reason: 'GROUP_AUTHORIZATION_FAILED',
    remedy: /READ.*KAFKA_GROUP_ID/,
  },
  {
    what: 'a right to see the topic, and none to read it',
    env: () => login('blind'),
    reason: 'TOPIC_AUTHORIZATION_FAILED',
    remedy: /READ/,
  },
];

describe('Kafka', () => {
  test.for(CASES)('behind $what is $reason', async ({ env, reason, remedy }) => {
    const bridge = await run(await env());
    await until(reason, async () => (await bridge.ready()).problems.kafka === reason);
    const { ready, details } = await bridge.ready();
    expect(ready).toBe(false);
    expect(details.kafka?.remedy).toMatch(remedy);
    const logged = bridge.log.find((entry) => entry.reason === reason);
    expect(logged).toMatchObject({ level: 40, remedy: details.kafka?.remedy });
  });

  test('says of topics that a user may not see what is missing, and that Kafka answers', async () => {
    const bridge = await run(login('stranger'));
    const problems = { topics: `missing: ${TOPIC}, ${TOPIC}.dlq` };
    await until('the topics', async () => (await bridge.ready()).problems.kafka === undefined);
    const page = await bridge.ready();
    expect(page.problems).toEqual(problems);
    expect(page.details.topics?.message).toContain('TOPIC_AUTHORIZATION_FAILED');
    expect(page.details.topics?.remedy).toMatch(/DESCRIBE/);
    const logged = bridge.log.filter((entry) => entry.reason === problems.topics);
    expect(logged).toMatchObject([{ level: 40, remedy: page.details.topics?.remedy }]);
  });

  test('that takes no dead letters holds the partition, by name', async () => {
    const worker = await startFakeWorker();
    onTestFinished(() => worker.stop());
    worker.behave = () => ({ kind: 'append', reject: () => 'symbol_invalid' });
    const bridge = await run(login('bridge'), worker.url);
    await produce(TOPIC, numbered(1), [guarded.plain]);
    const lane = `delivery ${TOPIC}/0`;
    const reason = 'dead_letter: TOPIC_AUTHORIZATION_FAILED';
    await until(reason, async () => (await bridge.ready()).problems[lane] === reason);
    expect((await bridge.ready()).details[lane]?.remedy).toMatch(/WRITE on their dead-letter/);

    await guarded.grant('bridge', { topic: `${TOPIC}.dlq` }, 'WRITE');
    await until('a dead letter', () =>
      bridge.log.find(({ msg }) => msg === 'record dead-lettered'),
    );
    expect(bridge.log.find(({ msg }) => msg === 'record dead-lettered')).toMatchObject({
      level: 40,
      code: 'symbol_invalid',
      topic: TOPIC,
      partition: 0,
    });
    await until('readiness', async () => (await bridge.ready()).ready);
  });

  test('that takes no reader of a topic is never green in between', async () => {
    const bridge = await run(login('blind'));
    const reason = 'TOPIC_AUTHORIZATION_FAILED';
    await until(reason, async () => (await bridge.ready()).problems.kafka === reason);
    const told = bridge.log.length;
    const rebuilds = await bridge.metric('bridge_consumer_rebuilds_total');
    let green = 0;
    await until('three more lives', async () => {
      if ((await bridge.ready()).ready) green++;
      return (await bridge.metric('bridge_consumer_rebuilds_total')) >= rebuilds + 3;
    });
    expect(green).toBe(0);
    const after = bridge.log.slice(told);
    expect(after.filter(({ msg }) => msg === 'Kafka answers')).toEqual([]);
  });
});
