/**
 * Whoever asks for rooms that nobody has published to leaves nothing stored: the local stack's own Worker,
 * and the SQLite files of its objects. The local runtime makes an empty file of one page for each object
 * that it starts, whatever that does, and never removes one; so what counts is whether there is a table in it.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { post } from '../support/worker.ts';

const ROOMS = 40;
const EMPTY_FILE_BYTES = 4_096;

class Gateway {
  readonly url: string;
  readonly #stateDir: string;

  constructor(url: string, stateDir: string) {
    this.url = url;
    this.#stateDir = stateDir;
  }

  /** The files of objects. */
  get files(): string[] {
    return readdirSync(this.#stateDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.sqlite') && !name.endsWith('metadata.sqlite'))
      .map((name) => join(this.#stateDir, name));
  }

  /** The tables of each object that has any. */
  get stored(): string[] {
    return this.files.map(tablesIn).filter((tables) => tables !== '');
  }

  async history(rooms: readonly string[]): Promise<number[]> {
    const responses = rooms.map((room) => fetch(`${this.url}/v1/rooms/${room}/events`));
    return (await Promise.all(responses)).map(({ status }) => status);
  }

  /** A socket on each room that has been told that it is subscribed. */
  async join(rooms: readonly string[]): Promise<WebSocket[]> {
    const sockets = rooms.map(
      (room) => new WebSocket(`${this.url.replace('http', 'ws')}/v1/rooms/${room}`),
    );
    const joined = sockets.map(
      (socket) => new Promise((resolve) => socket.addEventListener('message', resolve)),
    );
    await Promise.all(joined);
    return sockets;
  }
}

function tablesIn(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return rows
      .map(({ name }) => String(name))
      .sort()
      .join();
  } finally {
    database.close();
  }
}

async function start(bindings: Record<string, string> = {}): Promise<Gateway> {
  const stateDir = await temporaryFolder();
  const worker: RunningWorker = await startWorker({ port: await freePort(), stateDir, bindings });
  onTestFinished(() => worker.stop());
  return new Gateway(worker.url, stateDir);
}

const roomsOf = (roomClass: string, symbol = 'NEVER') =>
  Array.from({ length: ROOMS }, (_, index) => `${roomClass}:${symbol}-${index}`);

test('the history of rooms that never were stores nothing', async () => {
  const gateway = await start();
  const rooms = [...roomsOf('price'), ...roomsOf('trade')];
  expect(new Set(await gateway.history(rooms))).toEqual(new Set([200]));
  expect(gateway.stored).toEqual([]);
  const sizes = gateway.files.map((file) => statSync(file).size);
  expect(sizes).toEqual(rooms.map(() => EMPTY_FILE_BYTES));
});

test('what a subscription of rooms that never were has stored goes with it', async () => {
  // As many as all rooms, so that `system` needs no branch.
  const gateway = await start({ ROOM_MAX_FOLLOWERS: '1000' });
  const sockets = await gateway.join([...roomsOf('price'), ...roomsOf('trade')]);
  // Each room follows `system`, and takes note of it when it has been idle for three seconds.
  await until('all have written', () => gateway.stored.length === 2 * ROOMS + 1);
  for (const socket of sockets) socket.close();
  await until('only `system` has anything', () => gateway.stored.length === 1);
});

test('what was published stays', async () => {
  const gateway = await start();
  const data = { tradeId: '1', price: 1, amount: 1, side: 'buy' };
  const value = JSON.stringify({ type: 'trade_notification', symbol: 'KEPT', data, timestamp: 1 });
  await post(gateway.url, [{ topic: 'trade.notifications', offset: 0, value }]);
  const [socket] = await gateway.join(['trade:KEPT']);
  socket?.close();
  await until('the socket has left', () => socket?.readyState === WebSocket.CLOSED);
  const response = await fetch(`${gateway.url}/v1/rooms/trade:KEPT/events`);
  expect(await response.json()).toMatchObject({ head: 1 });
  expect(gateway.stored.some((tables) => tables.includes('chunk'))).toBe(true);
});

test('symbols that the operator has not named make no object', async () => {
  const gateway = await start({ SYMBOLS: 'KNOWN-*' });
  const unknown = [...roomsOf('price'), ...roomsOf('trade'), ...roomsOf('orderbook')];
  expect(new Set(await gateway.history(unknown))).toEqual(new Set([404]));
  expect(gateway.files).toEqual([]);
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/ws?system=off`);
  const messages: string[] = [];
  socket.onmessage = ({ data }) => messages.push(String(data));
  await until('the relay welcomes', () => messages.length > 0);
  const rooms = unknown.map((room) => ({ room }));
  socket.send(JSON.stringify({ type: 'subscribe', rooms }));
  await until('all are refused', () => {
    const frames: { code?: string }[] = messages.flatMap((text) => JSON.parse(text));
    return frames.filter(({ code }) => code === 'symbol_unknown').length === rooms.length;
  });
  socket.close();
  // The relay's own.
  expect(gateway.files.length).toBe(1);
  expect(gateway.stored).toEqual([]);
});
