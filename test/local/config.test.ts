import { expect, test } from 'vitest';
import { readConfig } from '../../bridge/local/config.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
} from '../../worker/protocol/environment/development.ts';

test('with nothing set, the documented ports and the development secrets', async () => {
  expect(await readConfig({})).toMatchObject({
    port: 3007,
    bridgePort: 3008,
    kafka: { kind: 'own', port: 9092 },
    stateDir: expect.stringMatching(/\/\.state$/),
    ingestSecret: DEVELOPMENT_INGEST_SECRET,
    jwtSecret: DEVELOPMENT_JWT_SECRET,
    feed: { speed: 1, seed: 1 },
  });
});

test('a named cluster takes the place of our own', async () => {
  const { kafka } = await readConfig({ KAFKA_BROKERS: 'one:9092,two:9092', KAFKA_PORT: 'unused' });
  expect(kafka).toEqual({ kind: 'given', brokers: 'one:9092,two:9092' });
});

test.each([
  [{}, 'on'],
  [{ FEED: 'off' }, 'off'],
  [{ FEED: 'off', FEED_SPEED: 'as you like' }, 'off'],
  // Nobody's own cluster is written into unasked.
  [{ KAFKA_BROKERS: 'one:9092' }, 'off'],
  [{ KAFKA_BROKERS: 'one:9092', FEED: 'on' }, 'on'],
])('with %o the feed is %s', async (env, state) => {
  const { feed } = await readConfig(env);
  expect(feed === undefined ? 'off' : 'on').toBe(state);
});

test('the feed has the speed and the seed it is given', async () => {
  const { feed } = await readConfig({ FEED_SPEED: '0.5', FEED_SEED: '4294967295' });
  expect(feed).toEqual({ speed: 0.5, seed: 4_294_967_295 });
});

test.each([
  [{ PORT: 'http' }, 'PORT is an integer from 1 to 65535, not "http"'],
  [{ KAFKA_PORT: '65536' }, 'KAFKA_PORT is an integer from 1 to 65535, not "65536"'],
  [{ BRIDGE_PORT: '0' }, 'BRIDGE_PORT is an integer from 1 to 65535, not "0"'],
  [{ PORT: '3008' }, 'BRIDGE_PORT is 3008, and so is PORT: they must differ'],
  [{ INGEST_SECRET: 'hunter2' }, 'INGEST_SECRET is not usable: a secret starts with whsec_'],
  [
    { PUBLISHER_SECRET: `${DEVELOPMENT_INGEST_SECRET}, whsec_AAAA` },
    'PUBLISHER_SECRET is not usable: a secret has 24 to 64 bytes, not 3',
  ],
  [{ FEED: 'yes' }, 'FEED is one of on, off'],
  [{ FEED_SPEED: '0' }, 'FEED_SPEED is a number from 0.01 to 200, not "0"'],
  [{ FEED_SPEED: '201' }, 'FEED_SPEED is a number from 0.01 to 200, not "201"'],
  [{ FEED_SPEED: 'fast' }, 'FEED_SPEED is a number from 0.01 to 200, not "fast"'],
  [{ FEED_SEED: '-1' }, 'FEED_SEED is an integer from 0 to 4294967295, not "-1"'],
  [{ JWT_SECRET: 'short' }, 'JWT_SECRET has 32 characters or more, not 5'],
  [{ KAFKA_BROKERS: 'one:9092,two' }, 'KAFKA_BROKERS is host:port'],
])('%o is refused by name', async (env, message) => {
  await expect(readConfig(env)).rejects.toThrow(message);
});
