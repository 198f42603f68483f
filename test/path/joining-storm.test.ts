/**
 * Many sockets come back together, to a room with a large state, and none of them reads: in real
 * workerd, with what it holds of the machine's memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { post } from '../support/worker.ts';

const SYMBOLS = 2_000;
const BATCH = 500;
const WATCHED_FOR_MS = 10_000;
/** The rooms of the symbols save themselves and sleep, and then memory is what this test is about. */
const SETTLED_AFTER_MS = 15_000;
const MAX_GROWTH_MB = 64;
const TIMEOUT_MS = 240_000;
const SUBSCRIBE = '{"type":"subscribe","room":"price_updates"}';

test('sockets that do not read cost a bounded amount of memory, whether they ask again and again or join', {
  timeout: TIMEOUT_MS,
}, async () => {
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    bindings: { ROOM_MAX_SOCKETS: '2000' },
  });
  onTestFinished(() => worker.stop());
  const { url } = worker;
  for (let first = 0; first < SYMBOLS; first += BATCH) await publishPrices(url, first);
  await sleep(SETTLED_AFTER_MS);
  const memory = () => residentMemory(worker.workerdPid() ?? 0);
  const before = memory();

  /** The most that workerd holds while so many sockets come, each of which asks so many times. */
  const mostWith = async (count: number, times: number): Promise<number> => {
    const sockets: RawWebSocket[] = [];
    let most = 0;
    while (sockets.length < count) {
      const opened = await Promise.all(Array.from({ length: 40 }, () => joinWithoutReading(url)));
      sockets.push(...opened);
      most = Math.max(most, memory());
    }
    for (let time = 0; time < times; time++) {
      for (const socket of sockets) socket.send(SUBSCRIBE);
      await sleep(100);
    }
    for (let waited = 0; waited < WATCHED_FOR_MS; waited += 100) {
      await sleep(100);
      most = Math.max(most, memory());
    }
    for (const socket of sockets) socket.cut();
    return most;
  };
  expect((await mostWith(80, 6)) - before).toBeLessThan(MAX_GROWTH_MB);
  expect((await mostWith(800, 0)) - before).toBeLessThan(MAX_GROWTH_MB);
});

async function joinWithoutReading(url: string): Promise<RawWebSocket> {
  const address = `${url.replace('http', 'ws')}/v1/rooms/price_updates?system=off`;
  const socket = await RawWebSocket.open(address, { text: () => {}, ended: () => {} });
  socket.stopReading();
  return socket;
}

/** A price of each of `BATCH` symbols, from the symbol with the number `first` on. */
async function publishPrices(url: string, first: number): Promise<void> {
  const records = Array.from({ length: BATCH }, (_, index) => {
    const number = first + index;
    const data = { price: `${45_000 + number}.50`, volume: '1234567.89', note: 'x'.repeat(800) };
    const value = JSON.stringify({
      type: 'price_update',
      symbol: `COIN${number}-USDC`,
      data,
      timestamp: 1_700_000_000_000,
    });
    return { topic: 'price.updates', offset: number, value };
  });
  expect((await post(url, records)).status).toBe(200);
}
