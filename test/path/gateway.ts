/** The local stack as `npm start` runs it, with a state that is thrown away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendantsOf } from '../support/processes.ts';
import { StartedStack, stackEnv } from '../support/stack.ts';

export interface Gateway {
  readonly url: string;
  readonly brokers: string[];
  readonly bridgeUrl: string;
  /** The process of a part, as it runs now. */
  pidOf(part: 'bridge' | 'workerd'): number;
  stop(): Promise<void>;
}

const COMMANDS = { bridge: 'bridge/main.ts', workerd: 'workerd serve' };

export async function startGateway(more: Record<string, string> = {}): Promise<Gateway> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-path-'));
  const env = await stackEnv(stateDir);
  const stack = new StartedStack({ ...env, ...more }, [process.execPath, 'bridge/local/main.ts']);
  const stop = async (signal: NodeJS.Signals) => {
    stack.signal(signal, 'process');
    await stack.exited;
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  };
  await stack.live().catch(async (error: unknown) => {
    await stop('SIGKILL');
    throw error;
  });
  return {
    url: `ws://127.0.0.1:${env.PORT}`,
    brokers: [`127.0.0.1:${env.KAFKA_PORT}`],
    bridgeUrl: `http://127.0.0.1:${env.BRIDGE_PORT}`,
    pidOf: (part) => {
      const found = descendantsOf(stack.pid).find(({ command }) =>
        command.includes(COMMANDS[part]),
      );
      if (found === undefined) throw new Error(`no ${part} runs`);
      return found.pid;
    },
    stop: () => stop('SIGTERM'),
  };
}
