/** The local stack as `npm start` runs it, in a process of its own, with a state that is thrown away. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../bridge/local/port.ts';
import { until } from '../support/until.ts';

const START_DEADLINE_MS = 90_000;

export interface Gateway {
  readonly url: string;
  readonly brokers: string[];
  readonly bridgeUrl: string;
  /** What the stack said so far. */
  output(): string;
  /** The process of a part, as it runs now. */
  pidOf(part: 'bridge' | 'workerd'): number;
  stop(): Promise<number | null>;
}

export async function startGateway(env: Record<string, string> = {}): Promise<Gateway> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-path-'));
  const [port, kafkaPort, bridgePort] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(process.execPath, ['bridge/local/main.ts'], {
    env: {
      ...process.env,
      KAFKA_BROKERS: '',
      PORT: String(port),
      KAFKA_PORT: String(kafkaPort),
      BRIDGE_PORT: String(bridgePort),
      STATE_DIR: stateDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = once(child, 'exit');
  const ended = () => {
    if (child.exitCode !== null) throw new Error(`the stack ended: ${output}`);
  };
  const bridgeUrl = `http://127.0.0.1:${bridgePort}`;
  await until(
    'the stack is ready',
    async () => {
      ended();
      return (await fetch(`${bridgeUrl}/ready`)).ok;
    },
    START_DEADLINE_MS,
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(output, { cause: error });
  });
  return {
    url: `ws://127.0.0.1:${port}`,
    brokers: [`127.0.0.1:${kafkaPort}`],
    bridgeUrl,
    output: () => output,
    pidOf: (part) => {
      const wanted = part === 'bridge' ? 'bridge/main.ts' : 'workerd';
      const found = descendants(child.pid ?? 0).find(({ args }) => args.includes(`${wanted}`));
      if (found === undefined) throw new Error(`no ${part} runs`);
      return found.pid;
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      await rm(stateDir, { recursive: true, force: true });
      return code;
    },
  };
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

function descendants(ancestor: number): ProcessRow[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], {
    encoding: 'utf8',
  });
  const rows = table.split('\n').flatMap((line) => {
    const [, pid, parent, state = '', args = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), args }];
  });
  const found: ProcessRow[] = [];
  const parents = [ancestor];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const row of rows) {
      if (row.parent !== parent) continue;
      found.push(row);
      parents.push(row.pid);
    }
  }
  return found;
}
