import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';

/** Far longer than either script takes to end by itself. */
const FROZEN_AFTER_MS = 5_000;

async function run(script: string, ...args: string[]): Promise<number | NodeJS.Signals> {
  const path = new URL(script, import.meta.url).pathname;
  const child = spawn(process.execPath, [path, ...args], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGTERM'), FROZEN_AFTER_MS);
  // SIGTERM's default is not run by JavaScript: it ends a frozen process too, and tells it apart.
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  return code ?? signal;
}

describe('a stop', () => {
  test('during a change of the broker list ends, and does not freeze the process', async () => {
    expect(await run('stop-during-broker-change.ts')).toBe(0);
  });

  test('would freeze without the repair of kafkajs, so the repair is still needed', async () => {
    expect(await run('stop-during-broker-change.ts', 'unpatched')).toBe('SIGTERM');
  });

  test('that freezes all the same is ended by the deadline, from outside the event loop', async () => {
    expect(await run('frozen.ts')).toBe('SIGKILL');
  });
});
