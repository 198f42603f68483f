/** What people write into the variables of Kafka: each works, or is refused by the variable's name. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { readConfig } from '../../bridge/config.ts';
import { createKafka } from '../../bridge/kafka/client.ts';
import { sourceOf } from '../../bridge/kafka/source.ts';
import { createLog } from '../../bridge/shared/log.ts';
import { MAX_SOURCE_LENGTH } from '../../worker/protocol/batch/batch.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { certify } from '../support/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';

const PEM_OF_NOTHING = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';

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
    ['bücher.example:9092', undefined],
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
    'a;b:9092',
    "'a:9092",
    '"a:9092',
    'user@a:9092',
    'a=b:9092',
    '$KAFKA_HOST:9092',
    '<host>:9092',
    '1.2.3:9092',
    '10.0.0.256:9092',
    '9092:9092',
    '[fe80::1%eth0]:9092',
  ])('"%s" is refused by name', async (value) => {
    await expect(read({ KAFKA_BROKERS: value })).rejects.toThrow(/^KAFKA_BROKERS /);
  });

  test.each(['user:pa55word@a:9092', 'user:pa55word@a:9092,,b:9092'])(
    '"%s" is refused without its password being shown',
    async (value) => {
      await expect(read({ KAFKA_BROKERS: value })).rejects.toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('pa55word') }),
      );
    },
  );

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

describe('KAFKA_TOPICS and TOPIC_PREFIX', () => {
  test.each([
    ['price.updates', '', ['price.updates']],
    ['price.updates, notifications', '', ['price.updates', 'notifications']],
    ['price.updates,price.updates', '', ['price.updates']],
    ['price.updates', 'prod.', ['prod.price.updates']],
    ['prod.price.updates', 'prod.', ['prod.price.updates']],
    ['price.updates,prod.price.updates', 'prod.', ['prod.price.updates']],
    ['price.updates', 'price.', ['price.price.updates']],
    ['price.updates', 'price.updates', ['price.updatesprice.updates']],
  ])('"%s" with the prefix "%s" reads %j', async (topics, prefix, required) => {
    const config = await read({ KAFKA_TOPICS: topics, TOPIC_PREFIX: prefix });
    expect(config.topics).toEqual({ prefix, required, optional: [] });
  });

  test('a prefix stands before every topic of the gateway', async () => {
    const { required, optional } = (await read({ TOPIC_PREFIX: 'prod.' })).topics;
    expect(required).toContain('prod.price.updates');
    expect([...required, ...optional].every((name) => name.startsWith('prod.'))).toBe(true);
  });

  test.each([
    ['prod.price.updates', '', /^KAFKA_TOPICS names prod\.price\.updates.*TOPIC_PREFIX=prod\./],
    ['p_trade.notifications', '', /TOPIC_PREFIX=p_ if/],
    ['prod.price.updates', 'dev.', /^KAFKA_TOPICS names/],
    ['price.update', '', /^KAFKA_TOPICS names/],
    ['price.updates.dlq', '', /^KAFKA_TOPICS names/],
    ['Price.Updates', '', /^KAFKA_TOPICS names/],
    [',', '', /^KAFKA_TOPICS names no topic/],
    [' ', '', /^KAFKA_TOPICS names no topic/],
    ['a/b', '', /^KAFKA_TOPICS has no topic/],
    ['price.updates', 'a b', /^TOPIC_PREFIX /],
    ['price.updates', 'prod"', /^TOPIC_PREFIX /],
    ['price.updates', 'x'.repeat(201), /^TOPIC_PREFIX /],
  ])('"%s" with the prefix "%s" stops the start', async (topics, prefix, message) => {
    await expect(read({ KAFKA_TOPICS: topics, TOPIC_PREFIX: prefix })).rejects.toThrow(message);
  });
});

describe('names with blanks that nobody sees', () => {
  const VARIABLES = ['KAFKA_GROUP_ID', 'KAFKA_CLIENT_ID', 'BRIDGE_HOST', 'KAFKA_SASL_USERNAME'];
  const sasl = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: ' p ' };

  test.each(VARIABLES)('stop the start in %s', async (variable) => {
    for (const value of [' ', '\t', 'name ', ' name', 'name\n', 'name\r', '\u00a0name']) {
      const reading = read({ ...sasl, KAFKA_SASL_USERNAME: 'u', [variable]: value });
      await expect(reading).rejects.toThrow(new RegExp(`^${variable} has white space around it`));
    }
  });

  test('are part of a password', async () => {
    const { kafka } = await read({ ...sasl, KAFKA_SASL_USERNAME: 'u' });
    expect(kafka.sasl?.password).toBe(' p ');
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

  test.each([
    ['KAFKA_SSL_CA_FILE', 'no certificate', ''],
    ['KAFKA_SSL_CA_FILE', 'no certificate', 'garbage'],
    ['KAFKA_SSL_CA_FILE', 'no certificate', '\u0030\u0082\u0001'],
    ['KAFKA_SSL_CA_FILE', 'cannot be read', PEM_OF_NOTHING],
    ['KAFKA_SSL_CERT_FILE', 'no certificate', 'garbage'],
  ])('%s is named when it has %s', async (variable, complaint, text) => {
    const path = join(await temporaryFolder(), 'file.pem');
    await writeFile(path, text);
    const reading = read({ KAFKA_SSL: 'true', [variable]: path });
    await expect(reading).rejects.toThrow(new RegExp(`^${variable} .*${complaint}`));
  });

  test('a certificate without its key, or with another one, is named', async () => {
    const folder = await temporaryFolder();
    const { caFile } = await certify(folder);
    const keyFile = join(folder, 'key.pem');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const ssl = { KAFKA_SSL: 'true' };
    const named = async (env: Record<string, string>, message: RegExp) =>
      expect(read({ ...ssl, ...env })).rejects.toThrow(message);
    await named({ KAFKA_SSL_CERT_FILE: caFile }, /^KAFKA_SSL_KEY_FILE is missing/);
    await named({ KAFKA_SSL_KEY_FILE: keyFile }, /^KAFKA_SSL_CERT_FILE is missing/);
    const other = { KAFKA_SSL_CERT_FILE: caFile, KAFKA_SSL_KEY_FILE: keyFile };
    await named(other, /^KAFKA_SSL_KEY_FILE .*of KAFKA_SSL_CERT_FILE/);
    const { kafka } = await read({ ...ssl, KAFKA_SSL_CA_FILE: caFile });
    expect(kafka.ssl?.ca).toContain('BEGIN CERTIFICATE');
  });

  test('a file beside an explicit KAFKA_SSL=false is accepted, because it is meant', async () => {
    const { kafka } = await read({ KAFKA_SSL: 'false', KAFKA_SSL_CA_FILE: '/ca.pem' });
    expect(kafka.ssl).toBeUndefined();
  });
});

describe('the source of a batch', () => {
  const options = { brokers: ['b:9092', 'a:9092'], topicPrefix: '' };

  test.each(['MkU3OEVBNTcwNTJENDM2Qk', 'x', 'redpanda.b0e1', 'c'.repeat(64)])(
    'is the id of the cluster: %s',
    (id) => {
      expect(sourceOf(id, options)).toBe(id);
    },
  );

  test.each([null, undefined, '', ' ', 7, 'c'.repeat(65), `redpanda.${'c'.repeat(65)}`])(
    'is one that the Worker takes, and always the same, for the id %j',
    (id) => {
      const source = sourceOf(id, options);
      expect(source.length).toBeGreaterThan(0);
      expect(source.length).toBeLessThanOrEqual(MAX_SOURCE_LENGTH);
      expect(sourceOf(id, { ...options, brokers: ['a:9092', 'b:9092'] })).toBe(source);
    },
  );

  test('tells clusters without an id apart, and two estates on one cluster', () => {
    const sources = [
      sourceOf(null, options),
      sourceOf(null, { ...options, brokers: ['c:9092'] }),
      sourceOf('id', options),
      sourceOf('id', { ...options, topicPrefix: 'prod.' }),
      sourceOf('id', { ...options, topicPrefix: 'p'.repeat(200) }),
      sourceOf('c'.repeat(74), options),
      sourceOf('d'.repeat(74), options),
    ];
    expect(new Set(sources).size).toBe(sources.length);
  });
});
