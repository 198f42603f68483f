/** The package as its users get it: packed, installed in an empty project, the guide run on it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { demoToken } from '../../bridge/local/demo-token.ts';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/development.ts';
import { startGateway } from '../path/gateway.ts';
import { Subscriber } from '../path/subscriber.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDE = fileURLToPath(new URL('guide', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
/** A backend as most are: CommonJS, strict but for the guide's `catch (error) { error.message }`. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    strict: true,
    useUnknownInCatchVariables: false,
    types: ['node'],
    outDir: 'out',
    rootDir: 'src',
  },
  include: ['src'],
};

let folder: string;
let tarball: string;
let project: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  tarball = join(folder, packed.filename);
  project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{"private": true}');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await cp(GUIDE, join(project, 'src'), { recursive: true });
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const types = `@types/node@${devDependencies['@types/node']}`;
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', tarball, types, ...flags], { cwd: project });
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('is in order, as publint sees it', async () => {
    const pkgDir = join(project, 'node_modules/@moonx-farm/websocket-gateway');
    const { messages, pkg } = await publint({ pkgDir, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test('brings what it needs and no more', async () => {
    const { stdout } = await run('npm', ['ls', '--json', '--omit=dev', '--depth=1'], {
      cwd: project,
    });
    const { dependencies } = JSON.parse(stdout);
    const own = dependencies['@moonx-farm/websocket-gateway'];
    expect(Object.keys(own.dependencies).sort()).toEqual(['kafkajs', 'valibot']);
  });

  test('can be required and imported', async () => {
    const name = '@moonx-farm/websocket-gateway';
    for (const [entry, names] of [
      [name, ['DEXEventService', 'KafkaEventProducer', 'NotificationQueue']],
      [`${name}/client`, ['GatewayClient', 'GatewayError']],
    ] as const) {
      for (const script of [
        `console.log(Object.keys(require('${entry}')).join())`,
        `import('${entry}').then((m) => console.log(Object.keys(m).join()))`,
      ]) {
        const { stdout } = await run(process.execPath, ['-e', script], { cwd: project });
        expect(stdout.trim().split(',')).toEqual(expect.arrayContaining([...names]));
      }
    }
  });
});

test("the guide's examples compile as printed, and their events arrive", async () => {
  await run(process.execPath, [TSC, '--project', project]);
  const gateway = await startGateway();
  onTestFinished(() => gateway.stop());
  const token = await demoToken(DEVELOPMENT_JWT_SECRET);
  const join = async (room: string) => {
    const subscriber = await Subscriber.join(gateway.url, room, token);
    onTestFinished(() => subscriber.close());
    return subscriber;
  };
  const rooms = {
    price: await join('price:BTC-USDC'),
    trade: await join('trade:BTC-USDC'),
    system: await join('system'),
    user: await join('user:user-123'),
    trading: await join('trading-room-general'),
  };
  const watched = run(process.execPath, ['out/client.js', gateway.url], { cwd: project });
  await run(process.execPath, ['out/run.js'], {
    cwd: project,
    env: { ...process.env, KAFKA_BROKERS: gateway.brokers.join(), KAFKA_CLIENT_ID: 'guide' },
  });
  const events = (room: Subscriber) => room.texts.map((text) => JSON.parse(text));
  const types = (room: Subscriber) => events(room).map(({ type }) => type);
  await until('all of them', () => types(rooms.user).length >= 4 && rooms.trading.texts.length > 0);
  await until('the alerts', () => rooms.system.texts.length >= 2);
  // The package's own client has seen the same.
  expect((await watched).stdout.trim()).toBe('45000.5 45100.25');
  expect(events(rooms.price).map(({ data }) => data.price)).toEqual([45000.5, 45100.25]);
  expect(events(rooms.trade).map(({ data }) => data)).toEqual([
    { tradeId: 'trade-456', price: 45000, amount: 0.1, side: 'buy' },
  ]);
  expect(events(rooms.system).map(({ data }) => data.title)).toEqual([
    'Test Alert',
    'Price Alert Triggered',
  ]);
  expect(types(rooms.user).sort()).toEqual([
    'portfolio_update',
    'swap_completed',
    'swap_failed',
    'trade_notification',
  ]);
  expect(events(rooms.trading)[0]).toMatchObject({
    type: 'public_swap_completed',
    category: 'trading',
    data: { fromToken: 'ETH', toAmount: '2500.0' },
  });
});
