/** A bridge in a process of its own, for what happens to processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '../support/until.ts';
import { bridgeEnvironment, observe, type RunningBridge } from './running-bridge.ts';

export interface BridgeProcess extends Omit<RunningBridge, 'stop'> {
  readonly child: ChildProcess;
  /** Its log so far, one object a line. */
  readonly log: Record<string, unknown>[];
  /** Sends `signal`; resolves with how it ended, and after how long. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }>;
}

/** Resolves once it has logged `awaited`; a bridge that consumes has partitions. */
export async function spawnBridge(
  url: string,
  topics: string[],
  groupId: string,
  env: Record<string, string> = {},
  awaited = 'partitions assigned',
): Promise<BridgeProcess> {
  const child = spawn(process.execPath, ['bridge/main.ts'], {
    env: { ...process.env, ...bridgeEnvironment(url, topics, { KAFKA_GROUP_ID: groupId, ...env }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => log.push(JSON.parse(line)));
  const said = (message: string) => log.find(({ msg }) => msg === message);
  await until(`a bridge that has said "${awaited}"`, () => said(awaited));
  return {
    groupId,
    child,
    log,
    ...observe(Number(said('bridge started')?.port)),
    async end(signal) {
      const startedAt = performance.now();
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = await exited;
      return { code, ms: performance.now() - startedAt };
    },
  };
}
