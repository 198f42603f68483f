/** The comparison with peers, at a low rate: it is right before it is quick. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../support/stack.ts';

test('the gateway and a peer deliver the same events to the clients of the comparison', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/bench/main.ts', 'peers'], {
    cwd: ROOT,
    env: {
      ...process.env,
      BENCH_CONTENDERS: 'gateway,ws',
      BENCH_SCENARIOS: 'C',
      BENCH_ROUNDS: '1',
      BENCH_SECONDS: '0.5',
      BENCH_ORDINARY: '20000',
      BENCH_MOST: '20000',
    },
  });
  for (const name of ['gateway', 'ws']) expect(stdout).toContain(`| ${name} | 20,000 |`);
  // A busy machine is late, and nothing else.
  const faults = stdout.match(/failed in round.*|events twice|sockets closed/g);
  expect(faults).toBeNull();
}, 120_000);
