/** What the doctor says of a real Kafka that is not reached, in one way after the other. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { guardedSetUp } from './guarded.ts';

const setUp = guardedSetUp();
const { look, login } = setUp;

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
    ['without a guard', () => ({ KAFKA_BROKERS: setUp.kafka.plain })],
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
    const tls = { KAFKA_BROKERS: named(setUp.kafka.tls), KAFKA_SSL: 'true' };
    const { troubles, said } = await look({ ...tls, KAFKA_SSL_CA_FILE: setUp.kafka.caFile });
    // Its certificate is for localhost, and it advertises 127.0.0.1.
    expect(troubles).toEqual(['kafka.listeners: kafka_listener_unreachable']);
    expect(said('kafka.brokers')).toMatch(/answers/);
    expect(said('kafka.listeners')).toMatch(/does not match certificate's altnames/);
  });
});

interface Case {
  readonly what: string;
  readonly env: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
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
    env: () => ({ KAFKA_BROKERS: setUp.kafka.plain, KAFKA_SSL: 'true' }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'no TLS to a listener with it',
    env: () => ({ KAFKA_BROKERS: setUp.kafka.tls }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL/,
  },
  {
    what: 'a certificate that nobody trusts',
    env: () => ({ KAFKA_BROKERS: named(setUp.kafka.tls), KAFKA_SSL: 'true' }),
    trouble: 'kafka_tls_failed',
    remedy: /KAFKA_SSL_CA_FILE/,
  },
  {
    what: 'no SASL to a listener with it',
    env: () => ({ KAFKA_BROKERS: setUp.kafka.sasl }),
    trouble: 'kafka_closed',
    remedy: /KAFKA_SASL_MECHANISM/,
  },
  {
    what: 'SASL to a listener without it',
    env: () => login('bridge', { KAFKA_BROKERS: setUp.kafka.plain }),
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
      KAFKA_BROKERS: `127.0.0.1:1,${setUp.kafka.plain}`,
    });
    expect(troubles).toEqual(['kafka.brokers: kafka_refused']);
    expect(findings.find(({ check }) => check === 'kafka.brokers')?.status).toBe('warning');
    expect(Object.keys(skipped).filter((check) => check.startsWith('kafka.'))).toEqual([]);
  });

  test('is one of another cluster', async () => {
    const brokers = [setUp.kafka.plain, ...inject('kafkaBrokers')];
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
    const { troubles, said, skipped } = await look({ KAFKA_BROKERS: setUp.kafka.lost });
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
    const seed = await listen(proxyTo(setUp.kafka.lost), own?.address ?? '127.0.0.1');
    const { troubles, said } = await look({ KAFKA_BROKERS: seed });
    const code = own === undefined ? 'kafka_listener_unreachable' : 'kafka_listener_loopback';
    expect(troubles).toEqual([`kafka.listeners: ${code}`]);
    expect(said('kafka.listeners')).toMatch(/advertised\.listeners/);
  });

  test('at which another cluster answers here', async () => {
    const { findings } = await look({ KAFKA_BROKERS: setUp.kafka.lost });
    const address = findings.find(({ check }) => check === 'kafka.listeners');
    const port = Number(String(address && 'subject' in address && address.subject).split(':')[1]);
    await listen(proxyTo(inject('kafkaBrokers')[0] ?? ''), '127.0.0.1', port);
    const { troubles, said } = await look({ KAFKA_BROKERS: setUp.kafka.lost });
    expect(troubles).toEqual(['kafka.listeners: kafka_listener_elsewhere']);
    expect(said('kafka.listeners')).toMatch(/Another Kafka listens here/);
  });
});
