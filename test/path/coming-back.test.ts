/**
 * Clients with many rooms come all at once to relays, first without and then with a place in each room,
 * after workerd has been killed: what workerd holds of the machine's memory meanwhile, and how long it
 * takes. `STORM_CLIENTS=2000` runs the size of production.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import type { Cursor, RoomFrame } from '../../worker/protocol/frames.ts';
import { BulkyPublisher } from '../support/bulky-publisher.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { until } from '../support/until.ts';

const CLIENTS = Number(process.env.STORM_CLIENTS ?? 200);
const RELAYS = 4;
const ROOMS = 50;
const SYMBOLS = Array.from({ length: 100 }, (_, index) => `STORM-${index}`);
const TRADES = 10;
const TRADE_LENGTH = 150;
const COME_WITHIN_MS = 2_000;
const RETRY_WITHIN_MS = 500;
const ALL_WITHIN_MS = 60_000;
/** Of what 200 clients need, beside what an empty workerd does. */
const MAX_GROWTH_MB = 128;
const POLL_MS = 100;

class Client {
  /** Those that it does not have yet, over the connection that it has now. */
  readonly missing = new Set<string>();
  home = '/v1/ws';
  recovered = 0;
  /** How often it was refused a room or a connection. */
  refused = 0;
  faults: string[] = [];
  readonly #url: string;
  readonly #cursors = new Map<string, Cursor | undefined>();
  #socket: RawWebSocket | undefined;

  constructor(url: string, rooms: readonly string[]) {
    this.#url = url.replace('http', 'ws');
    for (const room of rooms) this.#cursors.set(room, undefined);
    this.#lose();
    onTestFinished(() => this.#socket?.cut());
  }

  /** Comes, at a moment of the time given, and again for as long as that fails. */
  async come(withinMs: number): Promise<void> {
    await sleep(Math.random() * withinMs);
    const address = `${this.#url}${this.home}${this.home.includes('?') ? '&' : '?'}system=off`;
    this.#socket = await RawWebSocket.open(address, {
      text: (payload) => {
        for (const frame of JSON.parse(String(payload)) as RoomFrame[]) this.#take(frame);
      },
      ended: () => {
        this.#lose();
        void this.come(COME_WITHIN_MS);
      },
    }).catch(() => undefined);
    if (this.#socket !== undefined) return this.#ask([...this.#cursors.keys()]);
    this.refused++;
    await this.come(RETRY_WITHIN_MS);
  }

  #lose(): void {
    for (const room of this.#cursors.keys()) this.missing.add(room);
  }

  #ask(rooms: readonly string[]): void {
    const items = rooms.map((room) => ({ room, since: this.#cursors.get(room) }));
    this.#socket?.send(JSON.stringify({ type: 'subscribe', rooms: items }));
  }

  #take(frame: RoomFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.home = frame.home ?? this.home;
        break;
      case 'subscribed':
        if (!frame.recovered) break;
        this.recovered++;
        this.missing.delete(frame.room);
        break;
      case 'snapshot':
        if (frame.more) break;
        this.#cursors.set(frame.room, { epoch: frame.epoch, seq: frame.seq });
        this.missing.delete(frame.room);
        break;
      case 'error':
        this.refused++;
        if (frame.code !== 'room_unavailable') this.faults.push(JSON.stringify(frame));
        setTimeout(() => this.#ask([frame.room ?? '']), Math.random() * RETRY_WITHIN_MS);
        break;
    }
  }
}

test(`R14: ${CLIENTS} clients with ${ROOMS} rooms each come, and come back, within two seconds`, {
  timeout: 180_000,
}, async () => {
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    bindings: { ROOM_MAX_SOCKETS: String(CLIENTS / RELAYS) },
  });
  onTestFinished(() => worker.stop());
  const publisher = new BulkyPublisher(worker.url);
  for (let trades = 0; trades < TRADES; trades++) await publisher.publish(SYMBOLS, TRADE_LENGTH);
  const before = residentMemory(worker.workerdPid() ?? 0);

  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const symbols = Array.from({ length: ROOMS }, (_, at) => SYMBOLS[(index + at * 3) % 100]);
    return new Client(
      worker.url,
      symbols.map((symbol) => `trade:${symbol}`),
    );
  });
  /** Resolves when all have all rooms, with how long that took and what workerd held at most. */
  const allHaveAll = async (what: string): Promise<number> => {
    const startedAt = performance.now();
    let most = 0;
    const watching = setInterval(() => {
      const pid = worker.workerdPid();
      if (pid !== undefined) most = Math.max(most, residentMemory(pid));
    }, POLL_MS);
    const haveAll = () => clients.every(({ missing }) => missing.size === 0);
    await until(`all ${what}`, haveAll, ALL_WITHIN_MS).finally(() => clearInterval(watching));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const refused = clients.reduce((sum, client) => sum + client.refused, 0);
    const relays = new Set(clients.map(({ home }) => home)).size;
    console.log(
      `${CLIENTS} clients ${what} at ${relays} relays: ${seconds} s, refused ${refused} times, ` +
        `workerd held ${before.toFixed(0)} MB before and ${most.toFixed(0)} at most`,
    );
    return most;
  };

  for (const client of clients) void client.come(COME_WITHIN_MS);
  const coming = await allHaveAll('come');
  process.kill(worker.workerdPid() ?? 0, 'SIGKILL');
  await until('they are cut off', () => clients.every(({ missing }) => missing.size > 0));
  await until('workerd is back', () => worker.workerdPid() !== undefined);
  const back = await allHaveAll('come back');

  expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
  const recovered = clients.reduce((sum, client) => sum + client.recovered, 0);
  expect(recovered).toBeGreaterThanOrEqual(CLIENTS * ROOMS);
  const growth = (Math.max(coming, back) - before) / (CLIENTS / 200);
  expect(growth).toBeLessThan(MAX_GROWTH_MB);
});
