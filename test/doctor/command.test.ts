/** `npm run doctor` as an operator runs it. */
import { spawn } from 'node:child_process';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { createTopic } from '../support/kafka.ts';

async function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['bridge/doctor/main.ts', ...args], {
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test('a healthy set-up is all ok, with the exit code 0', async () => {
  const worker = await startWorker({ port: await freePort(), stateDir: await temporaryFolder() });
  onTestFinished(() => worker.stop());
  const topics = ['price.updates', 'order.book.updates', 'trade.notifications'];
  const all = [...topics, 'portfolio.updates', 'system.alerts', 'notifications'];
  for (const topic of all.flatMap((name) => [name, `${name}.dlq`])) {
    await createTopic(`doctor.${topic}`);
  }
  const env = {
    KAFKA_BROKERS: inject('kafkaBrokers').join(),
    TOPIC_PREFIX: 'doctor.',
    KAFKA_GROUP_ID: 'doctor',
    WEBSOCKET_GATEWAY_URL: worker.url,
    INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
  };
  const lines = await doctor([], env);
  expect(lines).toMatchObject({ code: 0, err: '' });
  expect(lines.out).toMatch(/Nothing is changed\. A host is given up after 5 s\./);
  expect(lines.out).toMatch(/\nAll is well\.\n$/);
  expect(lines.out).not.toMatch(/^(warning|failed|skipped)/m);
  expect(lines.out).not.toContain(DEVELOPMENT_INGEST_SECRET);

  const json = await doctor(['--json'], env);
  expect(json.code).toBe(0);
  const { healthy, checks } = JSON.parse(json.out);
  expect(healthy).toBe(true);
  expect(checks.length).toBeGreaterThan(15);
  expect(new Set(checks.map(({ status }: { status: string }) => status))).toEqual(new Set(['ok']));
});

test('a broken set-up is reported by line and by JSON, with the exit code 1', async () => {
  const env = {
    KAFKA_BROKERS: '127.0.0.1:1',
    INGEST_SECRET: '',
    WEBSOCKET_GATEWAY_URL: 'http://127.0.0.1:1',
  };
  const lines = await doctor(['--timeout', '2'], env);
  expect(lines.code).toBe(1);
  expect(lines.out).toMatch(/given up after 2 s/);
  expect(lines.out).toMatch(
    /^failed +kafka\.brokers +127\.0\.0\.1:1: .*\n +kafka_refused\. Nothing/m,
  );
  expect(lines.out).toMatch(
    /^skipped +kafka\.group +It was not tried because of kafka\.brokers\./m,
  );
  const json = JSON.parse((await doctor(['--json'], env)).out);
  expect(json.healthy).toBe(false);
  expect(json.checks).toContainEqual(
    expect.objectContaining({
      check: 'gateway.reach',
      status: 'failed',
      code: 'gateway_refused',
      message: expect.any(String),
      remedy: expect.any(String),
    }),
  );
});

test.each([[['--timeout', '0']], [['--timeout', 'x']], [['--timeout', '61']], [['--what']]])(
  'the arguments %j are answered with the usage',
  async (args) => {
    const { code, out, err } = await doctor(args, {});
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/usage: npm run doctor/);
  },
);
