/** Runs owner.ts, for tests that kill it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const OWNER = fileURLToPath(new URL('owner.ts', import.meta.url));

export interface Owned {
  /** The process that was started. */
  readonly pid: number;
  killOwner(): Promise<void>;
}

export async function startOwned(
  kind: 'kafka' | 'worker' | 'lock',
  port: number,
  folder: string,
): Promise<Owned> {
  const owner = spawn(process.execPath, [OWNER, kind, String(port), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  const { pid } = JSON.parse(line);
  return {
    pid,
    async killOwner() {
      owner.kill('SIGKILL');
      await once(owner, 'exit');
    },
  };
}
