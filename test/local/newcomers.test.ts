/** Each error that somebody meets who tries the commands for the first time says what to do. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitUntilReady } from '../../bridge/local/readiness.ts';
import { hintFor } from '../../bridge/local/tools/hints.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { temporaryFolder } from '../support/folder.ts';
import { ROOT } from '../support/stack.ts';

interface Run {
  readonly code: number | null;
  readonly err: string;
}

/** Runs a file as its npm script does, until it ends. It is asynchronous, because a test may serve it. */
async function run(file: string, args: string[] = [], env = {}, input = ''): Promise<Run> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: ROOT,
    env: { ...process.env, KAFKA_BROKERS: '', TOKEN: '', INGEST_SECRET: '', PORT: '', ...env },
  });
  onTestFinished(() => void child.kill());
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, err };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const PRODUCE = 'bridge/local/tools/produce.ts';
const WATCH = 'bridge/local/tools/watch.ts';
const RECORDING = 'test/fixtures/guide-events.json';

describe('npm run produce', () => {
  test('of a file that is not there names it', async () => {
    const { code, err } = await run(PRODUCE, ['no-such-file']);
    expect(code).toBe(1);
    expect(err).toMatch(/^The recording cannot be read: .*no-such-file/);
  });

  test('without a Kafka says how to have one', async () => {
    const { code, err } = await run(PRODUCE, ['--brokers', '127.0.0.1:1', RECORDING]);
    expect(code).toBe(1);
    expect(err).toMatch(/^Kafka at 127\.0\.0\.1:1 .*ECONNREFUSED.*Kafka runs.*`npm start`/);
  });

  test('with a KAFKA_PORT that is no port names the variable', async () => {
    const { code, err } = await run(PRODUCE, [RECORDING], { KAFKA_PORT: 'abc' });
    expect(code).toBe(1);
    expect(err).toBe('KAFKA_PORT is an integer from 1 to 65535, not "abc"\n');
  });

  test('to what is no Kafka says so', async () => {
    const port = await listen(createServer((_, response) => response.end()));
    const { code, err } = await run(PRODUCE, ['--brokers', `127.0.0.1:${port}`, RECORDING]);
    expect(code).toBe(1);
    expect(err).toMatch(/does not speak the protocol of Kafka/);
  });

  test('with an option that it has not shows its usage', async () => {
    const { code, err } = await run(PRODUCE, ['--speeed', '2', RECORDING]);
    expect(code).toBe(2);
    expect(err).toMatch(/'--speeed'.*usage: npm run produce/s);
  });
});

describe('npm run watch', () => {
  test.each([
    [{ PORT: 'abc' }, [], /^PORT is an integer/],
    [{ TOKEN: '…' }, [], /^TOKEN is no token: .*`npm start`/],
    [{}, ['--what'], /usage: npm run watch/],
    [{}, ['--url', 'localhost:3007'], /^--url is an address such as ws:/],
    [{}, ['--url', 'ws://local host'], /^--url is an address such as ws:/],
  ])('with %j %j says what is wrong', async (env, args, message) => {
    const { code, err } = await run(WATCH, ['price:BTC-USDC', ...args], env);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test.each([
    ['no answer from ws://localhost:1; connecting again in 0.1 s', /npm start/],
    ['answered 404; connecting again in 0.1 s', /no gateway/],
    ['refused (token_missing: the token does not open this room)', /Set TOKEN/],
    ['refused (token_invalid: the token is not signed with JWT_SECRET)', /npm start/],
    ['refused (token_expired: the token has expired)', /for a day/],
    ['refused (room_forbidden: the token does not open this room)', /another user/],
    ['refused (room_invalid: no room can be called that)', /price:BTC-USDC/],
  ])('says more of "%s"', (note, hint) => {
    expect(hintFor(note)).toMatch(hint);
  });

  test.each(['connected', 'closed (1006)', ''])('says no more of "%s"', (note) => {
    expect(hintFor(note)).toBeUndefined();
  });
});

test('npm run bridge without a secret says what to set, and what tells more', async () => {
  const { code, err } = await run('bridge/main.ts');
  expect(code).toBe(1);
  expect(err).toMatch(/^INGEST_SECRET is missing: set it .*`npm run doctor`/);
});

test('npm start says of a bridge that is not ready what is wrong, and what to do', async () => {
  const page = {
    ready: false,
    problems: { kafka: 'kafka_refused', topics: 'missing: a' },
    details: { kafka: { message: 'refused', remedy: 'Check that Kafka runs.' }, topics: {} },
  };
  const port = await listen(
    createServer((_, response) => response.writeHead(503).end(JSON.stringify(page))),
  );
  let now = 0;
  const waiting = waitUntilReady(
    'The bridge',
    `http://127.0.0.1:${port}/ready`,
    new AbortController().signal,
    () => now,
    async (ms) => {
      now += ms * 100;
    },
  );
  await expect(waiting).rejects.toThrow(
    /not ready after 60 s: kafka: kafka_refused\. Check that Kafka runs\. topics: missing: a\./,
  );
});

describe('without npm ci', () => {
  const CHECKED = ['start', 'bridge', 'doctor', 'produce', 'watch', 'deploy'] as const;

  test.each(CHECKED)('npm run %s looks whether the packages are there', (name) => {
    expect(packageJson.scripts[name]).toMatch(/^exec node --import \.\/\.installed\.mjs \S+\.ts$/);
  });

  test('one sentence says what to run', async () => {
    const cwd = await temporaryFolder();
    await copyFile(join(ROOT, '.installed.mjs'), join(cwd, '.installed.mjs'));
    await writeFile(join(cwd, 'main.mjs'), 'import "kafkajs";');
    const args = ['--import', './.installed.mjs', 'main.mjs'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toBe('The packages are not installed. Run `npm ci` first.\n');
  });
});
