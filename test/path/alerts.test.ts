/**
 * Alerts to 300 sockets of 60 rooms, through a tree of objects, while workerd is killed: the local stack's
 * own Worker, and plain WebSockets that come back with their cursor.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { post } from '../support/worker.ts';
import { AlertReader } from '../workerd/support/alert-reader.ts';

const ROOMS = 60;
const SOCKETS = 5;
const KILLS = 3;
/** Before each kill, and after the last one. With the last alert of all they are 97, of 100 that are kept. */
const ALERTS = 24;
/** How many of these expire before workerd is back. */
const PERISHABLE = 2;
const PERISHES_AFTER_MS = 300;
const RETRY_MS = 50;
/** The alarm that follows alerts goes off after ten seconds, and ten more without an event are a sleep. */
const ASLEEP_WITHIN_MS = 60_000;

class Listener {
  readonly reader: AlertReader;
  readonly #url: string;
  #socket: RawWebSocket | undefined;

  constructor(url: string, room: string) {
    this.#url = `${url.replace('http', 'ws')}/v1/rooms/`;
    this.reader = new AlertReader(room);
    onTestFinished(() => this.#socket?.cut());
  }

  /** Joins, and comes back whenever it is cut off. */
  async listen(): Promise<void> {
    this.#socket = await RawWebSocket.open(this.#url + this.reader.address, {
      text: (payload) => this.reader.take(String(payload)),
      ended: () => void this.#comeBack(),
    }).catch(() => undefined);
    if (this.#socket === undefined) await this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    await sleep(RETRY_MS);
    await this.listen();
  }
}

class Publisher {
  /** The alerts that everyone must have. */
  readonly lasting: string[] = [];
  readonly #url: string;
  #offset = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Publishes an alert as the bridge does, which sends it again until it is taken. */
  async publish(expiresAt?: number): Promise<void> {
    const offset = ++this.#offset;
    const alertId = `alert-${offset}`;
    const data = { level: 'info', title: 't', message: 'm', alertId, expiresAt };
    const value = JSON.stringify({ type: 'system_alert', data, timestamp: 1 });
    const record = { topic: 'system.alerts', offset, value };
    await until('an alert is taken', async () => (await post(this.#url, [record])).status === 200);
    if (expiresAt === undefined) this.lasting.push(alertId);
  }
}

/** How many objects are awake: an object that hibernates closes its database. */
function awakeObjects(workerd: number): number {
  const fds = `/proc/${workerd}/fd`;
  const files = readdirSync(fds).flatMap((fd) => {
    try {
      return [readlinkSync(`${fds}/${fd}`)];
    } catch {
      return [];
    }
  });
  return files.filter((file) => /-Room\/[0-9a-f]{64}\.sqlite$/.test(file)).length;
}

test('each socket has each alert once after three kill -9 of workerd', {
  timeout: 180_000,
}, async () => {
  const told: string[] = [];
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    bindings: { ROOM_MAX_FOLLOWERS: '4' },
    log: (line) => told.push(line),
  });
  onTestFinished(() => worker.stop());
  const { url } = worker;
  const kinds = ['price', 'trade', 'orderbook'];
  const listeners = Array.from({ length: ROOMS * SOCKETS }, (_, index) => {
    const room = index % ROOMS;
    return new Listener(url, room === 0 ? 'system' : `${kinds[room % kinds.length]}:R${room}`);
  });
  const readers = listeners.map(({ reader }) => reader);
  await Promise.all(listeners.map((listener) => listener.listen()));
  await until('all hear system', () => readers.every(({ joined }) => joined > 0));

  const publisher = new Publisher(url);
  const everyoneHasAll = () =>
    until('all have all', () =>
      readers.every(({ alerts }) => publisher.lasting.every((id) => alerts.has(id))),
    );
  for (let kills = 0; kills <= KILLS; kills++) {
    for (let sent = PERISHABLE; sent < ALERTS; sent++) await publisher.publish();
    // Nobody waits until all have all, so it is on its way through the tree.
    const last = Promise.all(
      Array.from({ length: PERISHABLE }, () => publisher.publish(Date.now() + PERISHES_AFTER_MS)),
    );
    if (kills < KILLS) process.kill(worker.workerdPid() ?? 0, 'SIGKILL');
    await last;
    if (kills > 0) await everyoneHasAll();
  }

  const workerd = worker.workerdPid() ?? 0;
  expect(awakeObjects(workerd)).toBeGreaterThan(ROOMS);
  await until('all objects hibernate', () => awakeObjects(workerd) === 0, ASLEEP_WITHIN_MS);
  await publisher.publish();
  await everyoneHasAll();

  const late = new Listener(url, 'price:LATE');
  await late.listen();
  await until('a new socket is shown the alerts', () => late.reader.alerts.size > 0);
  expect([...late.reader.alerts.keys()]).toEqual(publisher.lasting);
  for (const { alerts, faults, recovered } of readers) {
    expect(faults).toEqual([]);
    expect([...alerts].filter(([, times]) => times > 1)).toEqual([]);
    expect(recovered).toBeGreaterThan(0);
  }
  expect(told.filter((line) => line.includes('room_aborted'))).toEqual([]);
});
