/** What the doctor says of a real Kafka that keeps the bridge out in one way after the other. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/development.ts';
import { type GuardedKafka, startGuardedKafka } from '../support/guarded-kafka.ts';
import { createTopic, kafka, uniqueName } from '../support/kafka.ts';
import { diagnose } from './diagnosis.ts';

const TOPIC = 'guarded';
const DEAD_LETTERS = `${TOPIC}.dlq`;
const GROUP = 'guarded-group';
let guarded: GuardedKafka;

beforeAll(async () => {
  guarded = await startGuardedKafka();
  for (const name of [TOPIC, DEAD_LETTERS]) await createTopic(name, 2, [guarded.plain]);
  const { grant } = guarded;
  await grant('bridge', { topic: TOPIC }, 'READ');
  await grant('bridge', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('bridge', { group: GROUP }, 'READ');
  await grant('ungrouped', { topic: TOPIC }, 'READ');
  await grant('ungrouped', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('onlooker', { topic: TOPIC }, 'READ');
  await grant('onlooker', { topic: DEAD_LETTERS }, 'DESCRIBE');
  await grant('onlooker', { group: GROUP }, 'DESCRIBE');
  await grant('blind', { topic: TOPIC }, 'DESCRIBE');
  await grant('blind', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('blind', { group: GROUP }, 'READ');
});

afterAll(() => guarded.stop());

/** The gateway is not looked at here. */
const look = async (env: Record<string, string>, options: Parameters<typeof diagnose>[1] = {}) => {
  const diagnosis = await diagnose(
    {
      KAFKA_TOPICS: TOPIC,
      KAFKA_TOPICS_VERIFY: 'false',
      KAFKA_GROUP_ID: GROUP,
      WEBSOCKET_GATEWAY_URL: 'http://127.0.0.1:1',
      INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
      ...env,
    },
    options,
  );
  const isOfKafka = (trouble: string) => !trouble.startsWith('gateway.');
  return { ...diagnosis, troubles: diagnosis.troubles.filter(isOfKafka) };
};

function login(user: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    KAFKA_BROKERS: guarded.sasl,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: user,
    ...more,
  };
}

const named = (address: string) => address.replace('127.0.0.1', 'localhost');

/** `host:port` of a server that listens until the test ends. */
async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => void server.close());
  return `${host}:${(server.address() as AddressInfo).port}`;
}

/** What passes all connections on to `address`. */
function proxyTo(address: string): Server {
  const [host = '', port = ''] = address.split(':');
  return createServer((socket) => {
    const onwards = connect(Number(port), host);
    socket.on('error', () => onwards.destroy());
    onwards.on('error', () => socket.destroy());
    socket.pipe(onwards).pipe(socket);
  });
}

describe('a Kafka that serves the bridge', () => {
  test.each([
    ['without a guard', () => ({ KAFKA_BROKERS: guarded.plain })],
    ['by SASL, with just the rights of a bridge', () => login('bridge')],
  ])('%s has nothing wrong', async (_, env) => {
    const { troubles, findings } = await look(env());
    expect(troubles).toEqual([]);
    const ofKafka = findings.filter(({ check }) => check.startsWith('kafka.'));
    expect(ofKafka.map(({ check, status }) => [check, status])).toEqual(
      [
        'kafka.brokers',
        'kafka.listeners',
        'kafka.topics',
        'kafka.dead_letters',
        'kafka.rights.topics',
        'kafka.rights.dead_letters',
        'kafka.rights.group',
        'kafka.group',
        'kafka.clock',
      ].map((check) => [check, 'ok']),
    );
  });

  test('over TLS is reached, and its plain listener is where it names itself', async () => {
    const tls = { KAFKA_BROKERS: named(guarded.tls), KAFKA_SSL: 'true' };
    const { troubles, said } = await look({ ...tls, KAFKA_SSL_CA_FILE: guarded.caFile });
    // Its certificate is for localhost, and it advertises 127.0.0.1.
    expect(troubles).toEqual(['kafka.listeners: kafka_listener_unreachable']);
    expect(said('kafka.brokers')).toMatch(/answers/);
    expect(said('kafka.listeners')).toMatch(/does not match certificate's altnames/);
  });
});

interface Case {
  readonly what: string;
  readonly env: () => Record<string, string> | Promise<Record<string, string>>;
  readonly trouble: string;
  readonly remedy: RegExp;
}

const UNREACHED: readonly Case[] = [
  {
    what: 'a name without an address',
    env: () => ({ KAFKA_BROKERS: 'kafka.invalid:9092' }),
    trouble: 'kafka_dns_failed',
    remedy: /KAFKA_BROKERS.*DNS/,
  },
  {
    what: 'a broker that is down',
    env: () => ({ KAFKA_BROKERS: '127.0.0.1:1' }),
    trouble: 'kafka_refused',
    remedy: /Kafka runs.*KAFKA_BROKERS/,
  },
  {
    what: 'the port of an HTTP server',
    env: async () => ({
      KAFKA_BROKERS: await listen(createHttpServer((_, response) => response.end('hello'))),
    }),
    trouble: 'kafka_foreign',
    remedy: /not speak the protocol of Kafka.*KAFKA_BROKERS/,
  },
  {
    what: 'a server that greets in another protocol',
    env: async () => ({
      KAFKA_BROKERS: await listen(createServer((socket) => socket.write('SSH-2.0-x\r\n'))),
    }),
    trouble: 'kafka_foreign',
    remedy: /not speak the protocol of Kafka/,
  },
  {
    what: 'a server that closes',
    env: async () => ({ KAFKA_BROKERS: await listen(createServer((socket) => socket.end())) }),
    trouble: 'kafka_closed',
    remedy: /KAFKA_SSL=true.*KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'a server that says nothing',
    env: async () => ({ KAFKA_BROKERS: await listen(createServer(() => {})) }),
    trouble: 'no_answer',
    remedy: /hangs/,
  },
  {
    what: 'TLS to a listener without it',
    env: () => ({ KAFKA_BROKERS: guarded.plain, KAFKA_SSL: 'true' }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'no TLS to a listener with it',
    env: () => ({ KAFKA_BROKERS: guarded.tls }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'a certificate that nobody trusts',
    env: () => ({ KAFKA_BROKERS: named(guarded.tls), KAFKA_SSL: 'true' }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL_CA_FILE/,
  },
  {
    what: 'no SASL to a listener with it',
    env: () => ({ KAFKA_BROKERS: guarded.sasl }),
    trouble: 'kafka_closed',
    remedy: /KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'SASL to a listener without it',
    env: () => login('bridge', { KAFKA_BROKERS: guarded.plain }),
    trouble: 'ILLEGAL_SASL_STATE',
    remedy: /no SASL/,
  },
  {
    what: 'a wrong password',
    env: () => login('bridge', { KAFKA_SASL_PASSWORD: 'wrongpassword' }),
    trouble: 'SASL_AUTHENTICATION_FAILED',
    remedy: /KAFKA_SASL_PASSWORD/,
  },
  {
    what: 'a mechanism that the listener has not',
    env: () => login('bridge', { KAFKA_SASL_MECHANISM: 'scram-sha-512' }),
    trouble: 'UNSUPPORTED_SASL_MECHANISM',
    remedy: /KAFKA_SASL_MECHANISM/,
  },
];

describe('a broker that does not serve the bridge', () => {
  test.for(UNREACHED)('because of $what is told once', async ({ env, trouble, remedy }) => {
    const patienceMs = trouble === 'no_answer' ? 1_000 : 5_000;
    const { troubles, skipped, said } = await look(await env(), { patienceMs });
    expect(troubles).toEqual([`kafka.brokers: ${trouble}`]);
    expect(said('kafka.brokers')).toMatch(remedy);
    expect(skipped).toMatchObject({
      'kafka.listeners': 'kafka.brokers',
      'kafka.topics': 'kafka.brokers',
      'kafka.rights.group': 'kafka.brokers',
      'kafka.group': 'kafka.brokers',
    });
  });

  test('is a warning beside one that does', async () => {
    const { troubles, findings, skipped } = await look({
      KAFKA_BROKERS: `127.0.0.1:1,${guarded.plain}`,
    });
    expect(troubles).toEqual(['kafka.brokers: kafka_refused']);
    expect(findings.find(({ check }) => check === 'kafka.brokers')?.status).toBe('warning');
    expect(Object.keys(skipped).filter((check) => check.startsWith('kafka.'))).toEqual([]);
  });

  test('is one of another cluster', async () => {
    const brokers = [guarded.plain, ...inject('kafkaBrokers')];
    const { troubles, said } = await look({ KAFKA_BROKERS: brokers.join() });
    expect(troubles).toEqual(['kafka.brokers: kafka_clusters_differ']);
    expect(said('kafka.brokers')).toMatch(/one cluster/);
  });

  test('has variables that cannot be used', async () => {
    const { troubles, said } = await look({ KAFKA_BROKERS: 'kafka:9092/x' });
    expect(troubles).toEqual(['variables.kafka: variable_unusable']);
    expect(said('variables.kafka')).toMatch(/KAFKA_BROKERS is host:port.*OPERATIONS\.md/s);
  });
});

describe('an advertised listener', () => {
  test('that nobody reaches is named, with the address', async () => {
    const { troubles, said, skipped } = await look({ KAFKA_BROKERS: guarded.lost });
    expect(troubles).toEqual(['kafka.listeners: kafka_listener_unreachable']);
    expect(said('kafka.listeners')).toMatch(/127\.0\.0\.1:\d+: Broker 1 names.*ECONNREFUSED/);
    expect(said('kafka.listeners')).toMatch(/advertised\.listeners/);
    expect(skipped).toMatchObject({ 'kafka.group': 'kafka.listeners' });
    // What needs one broker only is still told.
    expect(said('kafka.rights.group')).toMatch(/^ok/);
  });

  test('of localhost, for a bridge on another host', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal);
    const seed = await listen(proxyTo(guarded.lost), own?.address ?? '127.0.0.1');
    const { troubles, said } = await look({ KAFKA_BROKERS: seed });
    const code = own === undefined ? 'kafka_listener_unreachable' : 'kafka_listener_loopback';
    expect(troubles).toEqual([`kafka.listeners: ${code}`]);
    expect(said('kafka.listeners')).toMatch(/advertised\.listeners/);
  });

  test('at which another cluster answers here', async () => {
    const { findings } = await look({ KAFKA_BROKERS: guarded.lost });
    const address = findings.find(({ check }) => check === 'kafka.listeners');
    const port = Number(String(address && 'subject' in address && address.subject).split(':')[1]);
    await listen(proxyTo(inject('kafkaBrokers')[0] ?? ''), '127.0.0.1', port);
    const { troubles, said } = await look({ KAFKA_BROKERS: guarded.lost });
    expect(troubles).toEqual(['kafka.listeners: kafka_listener_elsewhere']);
    expect(said('kafka.listeners')).toMatch(/Another Kafka listens here/);
  });
});

describe('a right that is missing', () => {
  test('to read the topic', async () => {
    const { troubles, said } = await look(login('blind'));
    expect(troubles).toEqual(['kafka.rights.topics: TOPIC_AUTHORIZATION_FAILED']);
    expect(said('kafka.rights.topics')).toMatch(/guarded: .*READ/s);
  });

  test('on the group', async () => {
    const { troubles, skipped, said } = await look(login('ungrouped'));
    expect(troubles).toEqual(['kafka.rights.group: GROUP_AUTHORIZATION_FAILED']);
    expect(said('kafka.rights.group')).toMatch(/READ on the consumer group/);
    expect(skipped['kafka.group']).toBe('kafka.rights.group');
  });

  test('to be in a group that may be seen, and to write dead letters', async () => {
    const { troubles, said } = await look(login('onlooker'));
    expect(troubles).toEqual([
      'kafka.rights.dead_letters: TOPIC_AUTHORIZATION_FAILED',
      'kafka.rights.group: GROUP_AUTHORIZATION_FAILED',
    ]);
    expect(said('kafka.rights.dead_letters')).toMatch(/guarded\.dlq: .*WRITE/s);
  });

  test('to see the topics at all', async () => {
    const { troubles, said } = await look(login('stranger'));
    expect(troubles).toEqual([
      'kafka.topics: topic_hidden',
      'kafka.dead_letters: topic_hidden',
      'kafka.rights.group: GROUP_AUTHORIZATION_FAILED',
    ]);
    expect(said('kafka.topics')).toMatch(/guarded: .*DESCRIBE/s);
  });

  test('to make the topics that are missing', async () => {
    const topic = uniqueName('absent');
    for (const name of [topic, `${topic}.dlq`]) {
      await guarded.grant('bridge', { topic: name }, 'DESCRIBE');
    }
    const { troubles, said } = await look(login('bridge', { KAFKA_TOPICS: topic }));
    expect(troubles).toEqual(['kafka.topics: topic_missing', 'kafka.dead_letters: topic_missing']);
    expect(said('kafka.topics')).toMatch(/TOPIC_AUTHORIZATION_FAILED.*CREATE/s);
  });
});

describe('a topic', () => {
  test('that is missing is one that the bridge will make, and it is not made', async () => {
    const topic = uniqueName('absent');
    const { troubles, said } = await look({
      KAFKA_BROKERS: guarded.plain,
      KAFKA_TOPICS: `${topic},${TOPIC}`,
    });
    expect(troubles).toEqual(['kafka.topics: topic_absent', 'kafka.dead_letters: topic_absent']);
    expect(said('kafka.dead_letters')).toMatch(/\.dlq: .*The bridge will make it/s);
    const admin = kafka([guarded.plain]).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    expect((await admin.listTopics()).filter((name) => name.startsWith(topic))).toEqual([]);
  });

  test('whose dead-letter topic is missing is told', async () => {
    const topic = uniqueName('lone');
    await createTopic(topic, 1, [guarded.plain]);
    const { troubles } = await look({ KAFKA_BROKERS: guarded.plain, KAFKA_TOPICS: topic });
    expect(troubles).toEqual(['kafka.dead_letters: topic_absent']);
  });

  test('that the gateway does not know is a variable that cannot be used', async () => {
    const { troubles, skipped } = await look({
      KAFKA_BROKERS: guarded.plain,
      KAFKA_TOPICS: 'prod.price.updates',
      KAFKA_TOPICS_VERIFY: 'true',
    });
    expect(troubles).toEqual(['variables.topics: variable_unusable']);
    expect(skipped['kafka.topics']).toBe('variables.topics');
  });

  test('with records of the future is told', async () => {
    const topic = uniqueName('future');
    for (const name of [topic, `${topic}.dlq`]) await createTopic(name, 1, [guarded.plain]);
    const admin = kafka([guarded.plain]).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const configEntries = [{ name: 'message.timestamp.type', value: 'CreateTime' }];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries }],
    });
    const producer = kafka([guarded.plain]).producer();
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const send = (aheadMs: number) =>
      producer.send({
        topic,
        messages: [{ value: '{}', timestamp: String(Date.now() + aheadMs) }],
      });
    await send(0);
    const env = { KAFKA_BROKERS: guarded.plain, KAFKA_TOPICS: topic };
    expect((await look(env)).troubles).toEqual([]);
    await send(600_000);
    const { troubles, said } = await look(env);
    expect(troubles).toEqual(['kafka.clock: record_ahead']);
    expect(said('kafka.clock')).toContain(`${topic}/0 from 1 on`);
  });
});
