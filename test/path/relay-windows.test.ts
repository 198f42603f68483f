/** Sockets of a relay that do not read, or read as much as they ack, in real workerd. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { BulkyPublisher } from '../support/bulky-publisher.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { Numbering, RelayReader } from '../workerd/support/relay-reader.ts';

const SYMBOLS = Array.from({ length: 20 }, (_, index) => `WINDOW-${index}`);
const ROOMS = SYMBOLS.map((symbol) => `trade:${symbol}`);
const HALF_WINDOW = 128 * 1024;
const TIMEOUT_MS = 120_000;

async function startRelay(): Promise<string> {
  const worker = await startWorker({ port: await freePort(), stateDir: await temporaryFolder() });
  onTestFinished(() => worker.stop());
  return worker.url;
}

class Client {
  readonly reader: RelayReader;
  ended: string | undefined;
  #socket: RawWebSocket | undefined;

  constructor(ackAfter = Number.POSITIVE_INFINITY) {
    const say = (text: string) => this.#socket?.send(text);
    this.reader = new RelayReader({ numbering: new Numbering(), ackAfter, say });
    onTestFinished(() => this.cut());
  }

  /** Resolves when it is a member of all rooms. */
  async join(url: string, rooms: readonly string[]): Promise<void> {
    const { reader } = this;
    this.#socket = await RawWebSocket.open(`${url.replace('http', 'ws')}/v1/ws`, {
      text: (payload) => reader.take(String(payload)),
      ended: (how) => {
        this.ended = how;
      },
    });
    for (const room of rooms) reader.subscribe(room);
    const isMember = (room: string) => reader.rooms.get(room)?.cursor !== undefined;
    await until('it is a member', () => rooms.every(isMember));
  }

  stopReading(): void {
    this.#socket?.stopReading();
  }

  cut(): void {
    this.#socket?.cut();
  }

  /** Whether it has all of what was published, in the rooms that it reads. */
  hasAll({ published }: BulkyPublisher): boolean {
    const { rooms } = this.reader;
    return [...published].every(([symbol, n]) => {
      const room = rooms.get(`trade:${symbol}`);
      return room === undefined || room.newest.get(symbol) === n;
    });
  }
}

test('R8: a window that twenty rooms share with just under half a window each opens again', {
  timeout: TIMEOUT_MS,
}, async () => {
  const url = await startRelay();
  const publisher = new BulkyPublisher(url);
  const client = new Client(HALF_WINDOW);
  await client.join(url, ROOMS);
  const round = async () => {
    // They are published in parts, because a batch has its bounds.
    for (let first = 0; first < SYMBOLS.length; first += 5) {
      await publisher.publish(SYMBOLS.slice(first, first + 5), HALF_WINDOW - 2_000);
    }
  };
  for (let rounds = 0; rounds < 5; rounds++) {
    await round();
    await until('it has all', () => client.hasAll(publisher));
  }
  // What was on its way of a room that is left must not stay in the window.
  for (let left = 0; left < ROOMS.length - 2; left++) {
    const sent = round();
    client.reader.unsubscribe(ROOMS[left] ?? '');
    await sent;
    await until('it has all', () => client.hasAll(publisher));
  }
  expect(client.reader.faults).toEqual([]);
  expect(client.reader.seen).toMatchObject({ gaps: 0, left: ROOMS.length - 2 });
  expect(client.ended).toBeUndefined();
});

test('one socket that never reads delays neither the others of its relay nor the room', {
  timeout: TIMEOUT_MS,
}, async () => {
  const url = await startRelay();
  const publisher = new BulkyPublisher(url);
  const siblings = Array.from({ length: 5 }, () => new Client(HALF_WINDOW));
  const stuck = new Client();
  for (const client of [...siblings, stuck]) await client.join(url, ROOMS);
  stuck.stopReading();
  const times: number[] = [];
  // Far more than the buffers on the way to one socket hold.
  for (let sent = 0; sent < 25; sent++) {
    const startedAt = performance.now();
    await publisher.publish(SYMBOLS, 40_000);
    await until('the others have all', () => siblings.every((client) => client.hasAll(publisher)));
    times.push(performance.now() - startedAt);
  }
  console.log(`until all had it: ${times.map((time) => time.toFixed(0)).join(' ')} ms`);
  for (const { reader, ended } of siblings) {
    expect(reader.faults).toEqual([]);
    expect(reader.seen.gaps).toBe(0);
    expect(ended).toBeUndefined();
  }
  expect(stuck.hasAll(publisher)).toBe(false);
});
