/**
 * Workerd through miniflare, with the Worker bundled as `wrangler deploy` bundles it and all else
 * as wrangler.toml says, so that nothing is written twice. Loaded only in a process of its own, see
 * worker-host.ts.
 */
import { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { dirname } from 'node:path';
import { build, stop as stopEsbuild } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import { buildPage } from '../../../worker/deploy/build-page.ts';
import { leash } from '../processes/owned-process.ts';
import { LOOPBACK } from '../processes/port.ts';
import { removeEmptyObjects } from './empty-objects.ts';

export interface WorkerdOptions {
  readonly port: number;
  /** Where the objects' SQLite files are. */
  readonly stateDir: string;
  readonly configPath: string;
  readonly bindings: Readonly<Record<string, string>>;
  /** `host:port` of what the Worker has as its binding `LOCAL`. */
  readonly local?: string;
}

export interface WorkerdEvents {
  /** Workerd answers: the first time, and each time after it died. */
  readonly onReady: (pid: number) => void;
  /** Workerd died, and is being started again. */
  readonly onDeath: (how: string) => void;
  /** The Worker logged an error or a warning. */
  readonly onLog: (line: string) => void;
}

const LOGGED_LEVELS = new Set(['error', 'warn']);

/** Runs the Worker; gives the function that ends it. */
export async function runWorkerd(
  options: WorkerdOptions,
  events: WorkerdEvents,
): Promise<() => Promise<void>> {
  const config = unstable_readConfig({ config: options.configPath });
  const { workerOptions, main, define } = unstable_getMiniflareWorkerOptions(config);
  if (main === undefined) throw new Error(`${options.configPath} names no main`);
  await buildPage();
  const contents = await bundle(main, define, config.keep_names ?? true);

  await removeEmptyObjects(options.stateDir);

  let stopping = false;
  let pid = 0;
  // Miniflare keeps its child to itself; Node announces every process that we start.
  subscribe('child_process', (message) => {
    const child = childOf(message);
    child?.once('spawn', () => {
      if (child.pid === undefined || !child.spawnfile.includes('workerd')) return;
      pid = child.pid;
      leash(child, pid);
      child.once('exit', (code, signal) => {
        if (!stopping) events.onDeath(signal ?? `exit code ${code}`);
      });
    });
  });

  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      ...(config.name !== undefined && { name: config.name }),
      rootPath: dirname(main),
      modules: [{ type: 'ESModule', path: 'index.js', contents }],
      modulesRoot: dirname(main),
      bindings: { ...Object(workerOptions.bindings), ...options.bindings },
      ...(options.local !== undefined && {
        serviceBindings: { LOCAL: { external: { address: options.local, http: {} } } },
      }),
      // Requests go straight to the Worker, because miniflare's own entry would relay every frame.
      unsafeDirectSockets: [{ host: LOOPBACK, port: options.port }],
      host: LOOPBACK,
      port: 0,
      resourcePersistencePath: options.stateDir,
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ level, message }) => {
        if (LOGGED_LEVELS.has(level)) events.onLog(`${level}: ${message}`);
      },
      unsafeHandleRuntimeRestart: () => events.onReady(pid),
    }),
  );
  await miniflare.ready;
  events.onReady(pid);
  return async () => {
    stopping = true;
    await miniflare.dispose();
  };
}

/** What wrangler does to a Worker: https://developers.cloudflare.com/workers/wrangler/bundling/ */
async function bundle(
  main: string,
  define: Record<string, string>,
  keepNames: boolean,
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [main],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    loader: { '.html': 'text', '.txt': 'text', '.sql': 'text' },
    define,
    keepNames,
    sourcemap: 'inline',
    logLevel: 'error',
  });
  await stopEsbuild();
  const output = outputFiles[0];
  if (output === undefined) throw new Error(`${main} bundled to nothing`);
  return output.text;
}

/** The process that a message of Node's `child_process` channel announces. */
function childOf(message: unknown): ChildProcess | undefined {
  if (typeof message !== 'object' || message === null || !('process' in message)) return undefined;
  return message.process instanceof ChildProcess ? message.process : undefined;
}
