/** What the local runtime leaves of objects that have stored nothing. */
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { post } from '../support/worker.ts';

const data = { tradeId: '1', price: 1, amount: 1, side: 'buy' };
const trade = (symbol: string) =>
  JSON.stringify({ type: 'trade_notification', symbol, data, timestamp: 1 });

test.each(['SIGTERM', 'SIGKILL'])(
  'is gone at the next start, and nothing else (%s)',
  async (end) => {
    const stateDir = await temporaryFolder();
    const filesOf = async () =>
      (await readdir(stateDir, { recursive: true })).filter(
        (name) => name.endsWith('.sqlite') && !name.endsWith('metadata.sqlite'),
      );
    const port = await freePort();
    const first = await startWorker({ port, stateDir });
    for (let i = 0; i < 20; i++) await fetch(`${first.url}/v1/rooms/trade:NEVER-${i}/events`);
    const kept = ['A', 'B', 'C'];
    const records = kept.map((symbol, offset) => ({
      topic: 'trade.notifications',
      offset,
      value: trade(symbol),
    }));
    expect((await post(first.url, records)).status).toBe(200);
    expect((await filesOf()).length).toBe(23);
    if (end === 'SIGKILL') process.kill(first.workerdPid() ?? 0, 'SIGKILL');
    await first.stop();
    const second = await startWorker({ port, stateDir });
    try {
      expect((await filesOf()).length).toBe(3);
      for (const symbol of kept) {
        const response = await fetch(`${second.url}/v1/rooms/trade:${symbol}/events`);
        expect(await response.json()).toMatchObject({ head: 1 });
      }
    } finally {
      await second.stop();
    }
  },
);
