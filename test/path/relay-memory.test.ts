/** What sockets of a relay that never read cost of the machine's memory, in real workerd. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { BulkyPublisher } from '../support/bulky-publisher.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { until } from '../support/until.ts';

const SYMBOLS = Array.from({ length: 20 }, (_, index) => `MEMORY-${index}`);
const TIMEOUT_MS = 120_000;

/** A socket that only counts what it reads. */
class CountingSocket {
  /** In bytes. */
  read = 0;
  #socket: RawWebSocket | undefined;

  constructor() {
    onTestFinished(() => this.cut());
  }

  /** Resolves when it has the states of all rooms. */
  async join(url: string, symbols: readonly string[]): Promise<void> {
    let states = 0;
    const text = (payload: Buffer) => {
      this.read += payload.length;
      if (states < symbols.length) states += String(payload).split('"snapshot"').length - 1;
    };
    const address = `${url.replace('http', 'ws')}/v1/ws?system=off`;
    this.#socket = await RawWebSocket.open(address, { text, ended: () => {} });
    const rooms = symbols.map((symbol) => ({ room: `trade:${symbol}` }));
    this.#socket.send(JSON.stringify({ type: 'subscribe', rooms }));
    await until('it has all states', () => states >= symbols.length);
  }

  stopReading(): void {
    this.#socket?.stopReading();
  }

  cut(): void {
    this.#socket?.cut();
  }
}

test('a relay with 200 sockets that never read grows by 64 MB at most', {
  timeout: TIMEOUT_MS,
}, async () => {
  const worker = await startWorker({ port: await freePort(), stateDir: await temporaryFolder() });
  onTestFinished(() => worker.stop());
  const { url } = worker;
  const publisher = new BulkyPublisher(url);
  let times = 0;
  /** What workerd holds at most while more is published than the buffers on the way hold. */
  const mostWith = async (what: 'newcomers' | 'readers' | 'sleepers'): Promise<number> => {
    times++;
    const symbols = SYMBOLS.map((symbol) => `${symbol}-${times}`);
    const sockets = Array.from({ length: 201 }, () => new CountingSocket());
    await Promise.all(sockets.map((socket) => socket.join(url, symbols)));
    // One reads on, so that it is seen when the relay has it all.
    const readers = what === 'sleepers' ? sockets.slice(0, 1) : sockets;
    for (const socket of sockets) if (!readers.includes(socket)) socket.stopReading();
    let most = 0;
    for (let sent = 1; sent <= 16; sent++) {
      await publisher.publish(symbols, 20_000);
      const expected = sent * symbols.length * 20_000;
      await until('the readers have it', () => readers.every(({ read }) => read > expected));
      most = Math.max(most, residentMemory(worker.workerdPid() ?? 0));
    }
    for (const socket of sockets) socket.cut();
    return most;
  };
  // Workerd keeps some of what it once needed, whoever needed it.
  await mostWith('newcomers');
  // It also holds the logs of all rooms so far, so what comes first and last is compared with the middle.
  const held: number[] = [];
  for (const what of ['readers', 'sleepers', 'sleepers', 'readers'] as const) {
    held.push(await mostWith(what));
  }
  console.log(`workerd held ${held.map((megabytes) => megabytes.toFixed(0)).join(', ')} MB`);
  const [first = 0, second = 0, third = 0, last = 0] = held;
  expect((second + third - first - last) / 2).toBeLessThan(64);
});
