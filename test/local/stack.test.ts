import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { descendantsOf } from '../support/processes.ts';
import { gone, ROOT, type StackEnv, StartedStack, stackEnv } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { listen } from '../support/worker.ts';

const STOPS_WITHIN_MS = 10_000;
const MAIN = [process.execPath, 'bridge/local/main.ts'] as const;
const execute = promisify(execFile);

/** `npm run produce -- …` with `input` on its standard input. */
function produce(env: NodeJS.ProcessEnv, input: string) {
  const producing = execute(process.execPath, ['bridge/local/tools/produce.ts', '-'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  producing.child.stdin?.end(input);
  return producing;
}

/** A stack that does not outlive its test. */
function startStack(env: StackEnv, command: readonly [string, ...string[]]): StartedStack {
  const stack = new StartedStack(env, command);
  onTestFinished(() => stack.signal('SIGKILL', 'process'));
  return stack;
}

test('what is produced reaches a bare WebSocket byte for byte, and Ctrl-C ends it all', async () => {
  const env = await stackEnv(await temporaryFolder());
  const stack = startStack(env, MAIN);
  const processes = await stack.live();
  const url = `http://127.0.0.1:${env.PORT}`;
  const event =
    '{"type":"price_update","symbol":"BTC-USDC","data":{"price":45000.50,"volume":12345678901234567890,"note":"\\u0041 é"},"timestamp":1}';
  const frames = listen(url, 'price:BTC-USDC');
  await until('the room', () => frames.some((frame) => frame.includes('"subscribed"')));

  const line = `{"topic":"price.updates","event":${event}}\n`;
  await expect(produce(env, `${line}not a line\n${line}`)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^line 2: .*\n2 produced, 1 bad\nA line is such as\n{.*}\n$/),
  });

  await until('both events', () => frames.join().split(event).length === 3);
  expect(stack.output).toContain(`JWT_SECRET=${DEVELOPMENT_JWT_SECRET}`);

  stack.signal('SIGINT', 'group');
  expect(await stack.exited).toEqual({ code: 0, signal: null });
  await gone(processes, STOPS_WITHIN_MS);
});

test('a second stack on the same folder is refused, and SIGTERM ends the first', async () => {
  const folder = await temporaryFolder();
  const first = startStack(await stackEnv(folder), MAIN);
  const processes = await first.live();

  const second = startStack(await stackEnv(folder), MAIN);
  expect(await second.exited).toMatchObject({ code: 1 });
  expect(second.output).toBe(
    `Another stack runs on the state folder ${folder}: stop it, or set STATE_DIR to another folder.\n`,
  );

  first.signal('SIGTERM', 'process');
  expect(await first.exited).toEqual({ code: 0, signal: null });
  await gone(processes, STOPS_WITHIN_MS);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'npm that ends by %s leaves nothing behind',
  async (signal) => {
    const stack = startStack(await stackEnv(await temporaryFolder()), ['npm', 'start']);
    const processes = await stack.live();
    expect(processes.length).toBeGreaterThan(5);
    stack.signal(signal, 'process');
    await gone(processes, STOPS_WITHIN_MS);
  },
);

test('Ctrl-C while it starts ends it, with nothing left behind', async () => {
  const stack = startStack(await stackEnv(await temporaryFolder()), MAIN);
  await until('Kafka is starting', () => stack.output.includes('kafka   starting'));
  const processes = await until('its process', () => {
    const found = descendantsOf(stack.pid);
    return found.some(({ command }) => command.includes('kafka.Kafka')) && found;
  });
  stack.signal('SIGINT', 'group');
  expect(await stack.exited).toEqual({ code: 0, signal: null });
  await gone(
    processes.map(({ pid }) => pid),
    STOPS_WITHIN_MS,
  );
});

test('a bad variable is named, and nothing starts', async () => {
  const env = { ...(await stackEnv(await temporaryFolder())), PORT: 'http' };
  const stack = startStack(env, MAIN);
  expect(await stack.exited).toMatchObject({ code: 1 });
  expect(stack.output).toBe('PORT is an integer from 1 to 65535, not "http"\n');
});
