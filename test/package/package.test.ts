/** The package as its users get it: packed, installed in an empty project, and tried in each set-up. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { demoToken } from '../../bridge/local/demo-token.ts';
import {
  DEVELOPMENT_JWT_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { startGateway } from '../path/gateway.ts';
import { Subscriber } from '../path/subscriber.ts';
import { until } from '../support/until.ts';
import { compile, complaintsOf } from './compile.ts';
import { installPacked, installToolchains, LOWEST_NODE, NAME, ROOT, toolchain } from './packed.ts';

const run = promisify(execFile);
const OWN_TYPESCRIPT = join(ROOT, 'node_modules/typescript');
const OWN_TYPES = join(ROOT, 'node_modules/@types');

let folder: string;
let project: string;
/** The packed package's own folder. */
let pkgDir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-package-'));
  [project] = await Promise.all([installPacked(folder), installToolchains()]);
  pkgDir = join(project, 'node_modules', NAME);
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('is in order, as publint sees it', async () => {
    const { messages, pkg } = await publint({ pkgDir, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test('brings what it needs and no more', async () => {
    const { stdout } = await run('npm', ['ls', '--json', '--omit=dev', '--depth=1'], {
      cwd: project,
    });
    const { dependencies } = JSON.parse(stdout);
    const listed: [string, { readonly version?: string }][] = Object.entries(
      dependencies[NAME].dependencies,
    );
    // React is listed, without a version: whoever has no use for it does not get it.
    const brought = listed.filter(([, { version }]) => version !== undefined);
    expect(brought.map(([name]) => name).sort()).toEqual(['kafkajs', 'valibot']);
  });

  test('has a client without dependencies, and types that need no schema library', async () => {
    const textOf = (file: string) => readFile(join(pkgDir, 'dist', file), 'utf8');
    const imported = /\bfrom ["']|\brequire\(|\bimport\(/;
    for (const file of ['client.js', 'client.cjs', 'client.d.ts', 'client.d.cts']) {
      expect(await textOf(file)).not.toMatch(imported);
    }
    for (const file of ['index.d.ts', 'index.d.cts']) {
      expect(await textOf(file)).not.toMatch(/["']valibot["']/);
    }
  });

  test('has hooks that need React alone, and run where a framework runs what is for browsers', async () => {
    const { code } = await transform(await readFile(join(pkgDir, 'dist/react.js'), 'utf8'));
    expect(code.startsWith('"use client";')).toBe(true);
    expect(Array.from(code.matchAll(/\bfrom "(.*)"/g), ([, from]) => from)).toEqual(['react']);
  });
});

describe.each([
  ['the Node of the scripts', process.execPath],
  ['the lowest Node of `engines`', LOWEST_NODE],
])('on %s', (_, node) => {
  test.each([
    [NAME, ['DEXEventService', 'KafkaEventProducer', 'NotificationQueue']],
    [`${NAME}/client`, ['GatewayClient', 'GatewayError']],
  ])('%s can be required and imported', async (entry, names) => {
    for (const script of [
      `console.log(Object.keys(require('${entry}')).join())`,
      `import('${entry}').then((m) => console.log(Object.keys(m).join()))`,
    ]) {
      const { stdout } = await run(node, ['-e', script], { cwd: project });
      expect(stdout.trim().split(',')).toEqual(expect.arrayContaining(names));
    }
  });
});

describe('the lowest Node of `engines`', () => {
  test('is the one that is tried', async () => {
    const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const { stdout } = await run(LOWEST_NODE, ['--version']);
    expect(`>=${stdout.trim().slice(1)}`).toBe(engines.node);
  });

  test.each(['index.js', 'client.js'])(
    'has every function of a built-in that %s names',
    async (file) => {
      const text = await readFile(join(pkgDir, 'dist', file), 'utf8');
      // Without its comments, which may name what is not there.
      const { code } = await transform(text, { minifyWhitespace: true });
      const named = [...code.matchAll(/\b([A-Z]\w+)\.([a-z]\w*)\b/g)].map(([, of, name]) => [
        of,
        name,
      ]);
      expect(named).toContainEqual(['Number', 'isSafeInteger']);
      const script = `console.log(JSON.stringify(${JSON.stringify(named)}.filter(
        ([of, name]) => globalThis[of] !== undefined && !(name in globalThis[of]))))`;
      expect(JSON.parse((await run(LOWEST_NODE, ['-e', script])).stdout)).toEqual([]);
    },
  );

  test("has no WebSocket, and the client's error names it", async () => {
    const script = `
      const { GatewayClient } = require('${NAME}/client');
      const client = new GatewayClient({ url: 'ws://localhost:1' });
      client.on('error', ({ message }) => console.log(message));
      client.subscribe('system', {});`;
    const { stdout } = await run(LOWEST_NODE, ['-e', script], { cwd: project });
    expect(stdout.trim()).toBe('there is no WebSocket: give one');
  });
});

test('the hooks can be required and imported where React is, on the lowest Node', async () => {
  const withReact = join(folder, 'with-react/node_modules');
  await cp(pkgDir, join(withReact, NAME), { recursive: true });
  await cp(join(ROOT, 'node_modules/react'), join(withReact, 'react'), { recursive: true });
  const entry = `${NAME}/react`;
  for (const script of [
    `console.log(Object.keys(require('${entry}')).join())`,
    `import('${entry}').then((m) => console.log(Object.keys(m).join()))`,
  ]) {
    const { stdout } = await run(LOWEST_NODE, ['-e', script], { cwd: join(withReact, '..') });
    expect(stdout.trim().split(',')).toEqual(
      expect.arrayContaining(['GatewayProvider', 'useRoom']),
    );
  }
});

test.each([
  ['import', `import { DEXEventService } from '${NAME}';`],
  ['require', `const { DEXEventService } = require('${NAME}');`],
])('bundled by %s into one file, the publisher needs no folder of packages', async (how, line) => {
  const outfile = join(folder, `bundled-by-${how}.cjs`);
  const contents = `${line}
    const events = new DEXEventService({ kafka: { brokers: ['localhost:1'] } });
    events.initialize().catch(({ code }) => console.log(code));`;
  const stdin = { contents, resolveDir: project };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
  const { stdout } = await run(LOWEST_NODE, [outfile], { cwd: folder });
  expect(stdout.trim()).toBe('kafka_unavailable');
});

test('the error of a producer that was required comes through a service that was imported', async () => {
  const script = `
    const { KafkaEventProducer } = require('${NAME}');
    const producer = new KafkaEventProducer({ brokers: ['localhost:1'] });
    import('${NAME}').then(async ({ NotificationService }) => {
      const service = new NotificationService({ producer });
      const { rejected } = await service.publishNotifications([{ type: 'a', target: { type: 'all' }, data: {} }]);
      console.log(rejected[0].code);
    });`;
  const { stdout } = await run(LOWEST_NODE, ['-e', script], { cwd: project });
  expect(stdout.trim()).toBe('kafka_unavailable');
});

/** Types of Node as old as the compiler; no types of the DOM, and no `skipLibCheck`. */
const STRICT = { strict: true, noEmit: true, target: 'ES2020', lib: ['ES2020'], types: ['node'] };
const OLD = { ...STRICT, typeRoots: [toolchain('@types')] };
const NEW = { ...STRICT, typeRoots: [OWN_TYPES] };
const AS_NODE10 = { module: 'CommonJS', moduleResolution: 'node' };
const AS_BUNDLER = { module: 'ESNext', moduleResolution: 'bundler' };
const AS_NODE = { module: 'NodeNext', moduleResolution: 'NodeNext' };
const IN_A_PAGE = { ...AS_BUNDLER, lib: ['ES2020', 'DOM'], types: [] };
const USES = ['publisher', 'client', 'react'];
const ALL = USES.map((use) => `src/${use}.ts`);
const EACH_KIND = ['mts', 'cts'].flatMap((kind) => USES.map((use) => `src/${use}.${kind}`));
const PAGE = ['src/client.ts', 'src/react.ts'];
const DECLARATIONS = ['index', 'client', 'react'].map((entry) => `dist/${entry}.d`);
const AS_MODULES = DECLARATIONS.map((path) => `${path}.ts`);
const AS_COMMON_JS = DECLARATIONS.map((path) => `${path}.cts`);

describe.each([
  ['5.0', OLD],
  ['5.4', OLD],
  ['5.9', NEW],
])('TypeScript %s, without skipLibCheck, takes it', (version, options) => {
  test.each([
    ['node', ALL, AS_NODE10, AS_COMMON_JS],
    ['bundler', ALL, AS_BUNDLER, AS_MODULES],
    ['nodenext', EACH_KIND, AS_NODE, [...AS_MODULES, ...AS_COMMON_JS]],
    ['bundler, in a page', PAGE, IN_A_PAGE, ['dist/client.d.ts', 'dist/react.d.ts']],
  ])('with moduleResolution %s', (_, files, resolution, declarations) => {
    const compiler = toolchain(`typescript-${version}`);
    const { complaints, judged } = compile(compiler, join(project, 'uses'), files, {
      ...options,
      ...resolution,
    });
    expect(complaints).toEqual([]);
    expect(judged).toEqual(expect.arrayContaining([...declarations, ...files]));
  });
});

describe("the project's own TypeScript, without skipLibCheck, takes it", () => {
  test.each([
    ['bundler', ALL, AS_BUNDLER],
    ['nodenext', EACH_KIND, AS_NODE],
    ['bundler, in a page', PAGE, IN_A_PAGE],
  ])('with moduleResolution %s', async (_, files, resolution) => {
    const tsconfig = join(project, 'uses/tsconfig.json');
    const compilerOptions = { ...NEW, skipLibCheck: false, ...resolution };
    await writeFile(tsconfig, JSON.stringify({ compilerOptions, files }));
    expect(await complaintsOf(OWN_TYPESCRIPT, tsconfig)).toBe('');
  });
});

test("the README's example of the hooks compiles as printed", async () => {
  const tsconfig = join(project, 'uses/tsconfig.json');
  const compilerOptions = { ...NEW, ...IN_A_PAGE, jsx: 'react-jsx' };
  await writeFile(tsconfig, JSON.stringify({ compilerOptions, files: ['src/readme.tsx'] }));
  expect(await readFile(join(project, 'uses/src/readme.tsx'), 'utf8')).toContain('useRoom');
  expect(await complaintsOf(OWN_TYPESCRIPT, tsconfig)).toBe('');
});

test("the guide's examples compile as printed, and their events arrive, on the lowest Node", async () => {
  await run(process.execPath, [join(OWN_TYPESCRIPT, 'bin/tsc'), '--project', project]);
  const gateway = await startGateway();
  onTestFinished(() => gateway.stop());
  const token = await demoToken(DEVELOPMENT_JWT_SECRET);
  const subscribe = async (room: string) => {
    const subscriber = await Subscriber.join(gateway.url, room, token);
    onTestFinished(() => subscriber.close());
    return subscriber;
  };
  const rooms = {
    price: await subscribe('price:BTC-USDC'),
    trade: await subscribe('trade:BTC-USDC'),
    system: await subscribe('system'),
    user: await subscribe('user:user-123'),
    trading: await subscribe('trading-room-general'),
  };
  const webSocket = join(project, 'web-socket.cjs');
  await writeFile(webSocket, `globalThis.WebSocket = require('${toolchain('ws')}');`);
  const watching = ['--require', webSocket, 'out/client.js', gateway.url, token];
  const watched = run(LOWEST_NODE, watching, { cwd: project });
  const env = {
    ...process.env,
    KAFKA_BROKERS: gateway.brokers.join(),
    KAFKA_CLIENT_ID: 'guide',
    WEBSOCKET_GATEWAY_URL: gateway.url.replace('ws', 'http'),
    PUBLISHER_SECRET: DEVELOPMENT_PUBLISHER_SECRET,
  };
  await run(LOWEST_NODE, ['out/run.js'], { cwd: project, env });
  const byHttp = await run(LOWEST_NODE, ['out/over-http.js'], { cwd: project, env });
  expect(byHttp.stdout.trim()).toBe('taken');
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
