/**
 * The Worker of wrangler.toml in workerd on a port of this machine, its objects' SQLite in a
 * folder. It outlives workerd: killed, workerd is started again on the same port and state. It does
 * not outlive our process.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../../worker/protocol/environment/development.ts';
import { type Ending, type OwnedProcess, spawnOwned } from '../processes/owned-process.ts';
import { LOOPBACK, requireFreePort } from '../processes/port.ts';
import { SetupError } from '../setup-error.ts';
import type { HostMessage } from './worker-host.ts';
import type { WorkerdOptions } from './workerd.ts';

const HOST = fileURLToPath(new URL('worker-host.ts', import.meta.url));
const WRANGLER_CONFIG = fileURLToPath(new URL('../../../wrangler.toml', import.meta.url));
/** Loading wrangler takes two seconds of an idle core. */
const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 3000;

export interface WorkerOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Variables and secrets, over the development ones. */
  readonly bindings?: Readonly<Record<string, string>>;
  readonly configPath?: string;
  /** `host:port` of what the Worker has as its binding `LOCAL`. */
  readonly local?: string;
  /** What went wrong, one line each. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunningWorker {
  readonly url: string;
  /** The process that serves; undefined between a death and the next start. */
  workerdPid(): number | undefined;
  /** Resolves when it has ended because workerd does not come back. */
  readonly exited: Promise<Ending>;
  stop(): Promise<void>;
}

/**
 * Starts workerd and waits until it listens.
 * @throws {SetupError} when the port is taken or the Worker does not load.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { port, signal } = options;
  await requireFreePort(port, 'PORT');
  signal?.throwIfAborted();
  const host = await spawnOwned(process.execPath, [HOST], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, WRANGLER_LOG: 'error' },
  });
  const workerd: WorkerdOptions = {
    port,
    stateDir: resolve(options.stateDir),
    configPath: options.configPath ?? WRANGLER_CONFIG,
    ...(options.local !== undefined && { local: options.local }),
    bindings: {
      ENVIRONMENT: 'local',
      INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
      PUBLISHER_SECRET: DEVELOPMENT_PUBLISHER_SECRET,
      JWT_SECRET: DEVELOPMENT_JWT_SECRET,
      ...options.bindings,
    },
  };
  let pid: number | undefined;
  try {
    await listen(
      host,
      workerd,
      signal,
      (next) => {
        pid = next;
      },
      options.log,
    );
  } catch (error) {
    await host.stop(0);
    throw error;
  }
  return {
    url: `http://${LOOPBACK}:${port}`,
    workerdPid: () => pid,
    exited: host.exited,
    stop: () => host.stop(STOP_GRACE_MS),
  };
}

/** Hands the options over and resolves once the host says that workerd is ready. */
async function listen(
  host: OwnedProcess,
  options: WorkerdOptions,
  signal: AbortSignal | undefined,
  onPid: (pid: number | undefined) => void,
  log: (line: string) => void = () => {},
): Promise<void> {
  const { promise, resolve: ready, reject } = Promise.withResolvers<void>();
  let hasDied = false;
  host.child.on('message', (message: HostMessage) => {
    switch (message.type) {
      case 'ready':
        onPid(message.pid);
        ready();
        if (hasDied) log('workerd runs again');
        break;
      case 'died':
        hasDied = true;
        onPid(undefined);
        log(`workerd ended (${message.how}); starting it again`);
        break;
      case 'log':
        log(message.line);
        break;
      case 'failed':
        reject(new SetupError(`The Worker did not start: ${message.message}`));
        break;
    }
  });
  void host.exited.then((how) => reject(new SetupError(`The Worker's process ended (${how}).`)));
  const deadline = setTimeout(
    () => reject(new SetupError(`The Worker did not start in ${START_DEADLINE_MS / 1000} s.`)),
    START_DEADLINE_MS,
  );
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  host.child.send(options);
  try {
    await promise;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
  }
}
