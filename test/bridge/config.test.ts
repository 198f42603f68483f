import { describe, expect, test } from 'vitest';
import { readConfig } from '../../bridge/config.ts';
import { SECRET } from './fake-worker.ts';

const minimal = { INGEST_SECRET: SECRET };

describe('the configuration', () => {
  test('needs a secret and nothing else, and has defaults for the rest', async () => {
    const config = await readConfig(minimal);
    expect(config.eventsUrl.href).toBe('http://localhost:3007/v1/events');
    expect(config.kafka.brokers).toEqual(['localhost:9092']);
    expect(config.topics).toEqual({
      prefix: '',
      required: [
        'price.updates',
        'order.book.updates',
        'trade.notifications',
        'portfolio.updates',
        'system.alerts',
      ],
      optional: ['notifications'],
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('takes several secrets for a rotation, apart by spaces or commas', async () => {
    const { keys } = await readConfig({ INGEST_SECRET: ` ${SECRET}, ${SECRET}\n${SECRET}` });
    expect(keys).toHaveLength(3);
  });

  test('keeps the path under which a gateway is mounted', async () => {
    const config = await readConfig({ ...minimal, WEBSOCKET_GATEWAY_URL: 'https://a.example/ws/' });
    expect(config.eventsUrl.href).toBe('https://a.example/ws/v1/events');
  });

  test('has TLS and SASL', async () => {
    const { kafka } = await readConfig({
      ...minimal,
      KAFKA_SSL: 'true',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'bridge',
      KAFKA_SASL_PASSWORD: 'secret',
    });
    expect(kafka.ssl).toEqual({ rejectUnauthorized: true });
    expect(kafka.sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'bridge',
      password: 'secret',
    });
  });

  test.each([
    ['INGEST_SECRET', ''],
    ['INGEST_SECRET', 'whsec_short'],
    ['INGEST_SECRET', 'plain'],
    ['KAFKA_BROKERS', 'http://localhost:9092'],
    ['KAFKA_TOPICS', 'a/b'],
    ['WEBSOCKET_GATEWAY_URL', 'localhost:3007'],
    ['WEBSOCKET_GATEWAY_URL', 'ws://localhost:3007'],
    ['WEBSOCKET_GATEWAY_URL', 'http://localhost:3007/?a=1'],
    ['BRIDGE_PORT', '65536'],
    ['BRIDGE_PORT', '1e3'],
    ['KAFKA_SESSION_TIMEOUT_MS', '10s'],
    ['KAFKA_SSL', 'yes'],
    ['KAFKA_SASL_MECHANISM', 'gssapi'],
    ['LOG_LEVEL', 'loud'],
  ])('names %s when it is "%s"', async (variable, value) => {
    await expect(readConfig({ ...minimal, [variable]: value })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(`^${variable} `),
    });
  });

  test('names what a mechanism of SASL lacks, and a file that is not there', async () => {
    const sasl = { ...minimal, KAFKA_SASL_MECHANISM: 'plain' };
    await expect(readConfig(sasl)).rejects.toThrow('KAFKA_SASL_USERNAME is missing');
    const ssl = { ...minimal, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/nowhere' };
    await expect(readConfig(ssl)).rejects.toThrow('KAFKA_SSL_CA_FILE');
  });

  test('never repeats a secret in its complaint', async () => {
    const error: unknown = await readConfig({ INGEST_SECRET: 'hunter2' }).catch((e: unknown) => e);
    expect(String(error)).not.toContain('hunter2');
  });
});
