/** What people write into the variables of Kafka: each works, or is refused by the variable's name. */
import { connect, createServer } from 'node:net';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { readConfig } from '../../bridge/config.ts';
import { createKafka } from '../../bridge/kafka/client.ts';
import { createLog } from '../../bridge/shared/log.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/development.ts';

const read = (env: Record<string, string>) =>
  readConfig({ INGEST_SECRET: DEVELOPMENT_INGEST_SECRET, ...env });

describe('KAFKA_BROKERS', () => {
  test.each([
    ['', ['localhost:9092']],
    ['a:9092', ['a:9092']],
    ['a:9092,b:9093', ['a:9092', 'b:9093']],
    [' a:9092 , b:9093 ', ['a:9092', 'b:9093']],
    ['a:9092 b:9093', ['a:9092', 'b:9093']],
    ['a:9092,a:9092', ['a:9092']],
    ['kafka-0.kafka_headless.svc.cluster.local:9092', undefined],
    ['10.0.0.1:1', undefined],
    ['10.0.0.1:65535', undefined],
    ['[::1]:9092', undefined],
    ['[2001:db8::7]:9092,[::ffff:10.0.0.1]:9093', ['[2001:db8::7]:9092', '[::ffff:10.0.0.1]:9093']],
  ])('"%s" works', async (value, brokers) => {
    expect((await read({ KAFKA_BROKERS: value })).kafka.brokers).toEqual(brokers ?? [value]);
  });

  test.each([
    ',',
    ' ',
    'a:9092,',
    ',a:9092',
    'a:9092,,b:9092',
    'a',
    'a:',
    ':9092',
    'a:0',
    'a:65536',
    'a:99999',
    'a:100000',
    'a:-1',
    'a:9092/path',
    'a:9o92',
    'http://a:9092',
    'kafka://a:9092',
    'PLAINTEXT://a:9092',
    'user:password@a:9092',
    '::1:9092',
    '[::1]',
    '[]:9092',
    '[a]:9092',
    '[1.2.3.4]:9092',
    '[::1:9092',
    '[:::1]:9092',
    'a;b:9092;c:9092',
  ])('"%s" is refused by name', async (value) => {
    await expect(read({ KAFKA_BROKERS: value })).rejects.toThrow(/^KAFKA_BROKERS /);
  });

  test('an IPv6 address reaches a broker', async () => {
    const [host = '', port = ''] = (inject('kafkaBrokers')[0] ?? '').split(':');
    const proxy = createServer((socket) => {
      const onwards = connect(Number(port), host);
      socket.on('error', () => onwards.destroy());
      onwards.on('error', () => socket.destroy());
      socket.pipe(onwards).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '::1', resolve));
    onTestFinished(() => void proxy.close());
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { kafka } = await read({ KAFKA_BROKERS: `[::1]:${address.port}` });
    const admin = createKafka(kafka, createLog('silent')).admin();
    await admin.connect();
    expect((await admin.describeCluster()).clusterId).toBe(inject('kafkaClusterId'));
    await admin.disconnect();
  });
});

describe('credentials that would be left unused', () => {
  test.each([
    [{ KAFKA_SASL_USERNAME: 'u' }, /^KAFKA_SASL_USERNAME .*KAFKA_SASL_MECHANISM/],
    [{ KAFKA_SASL_PASSWORD: 'p' }, /^KAFKA_SASL_PASSWORD .*KAFKA_SASL_MECHANISM/],
    [{ KAFKA_SSL_CA_FILE: '/ca.pem' }, /^KAFKA_SSL_CA_FILE .*KAFKA_SSL=true/],
    [{ KAFKA_SSL_KEY_FILE: '/key.pem' }, /^KAFKA_SSL_KEY_FILE .*KAFKA_SSL=true/],
  ])('%j are named', async (env, message) => {
    await expect(read(env)).rejects.toThrow(message);
  });

  test('a file beside an explicit KAFKA_SSL=false is meant', async () => {
    const { kafka } = await read({ KAFKA_SSL: 'false', KAFKA_SSL_CA_FILE: '/ca.pem' });
    expect(kafka.ssl).toBeUndefined();
  });
});
