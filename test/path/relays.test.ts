/**
 * Many rooms over one socket, at speed: 200 plain sockets on three relays or more are cut and come back
 * at random, change their rooms, and live through three kill -9 of workerd. Meanwhile single relays and
 * roots are evicted.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from 'hono/jwt';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { configWithMain } from '../support/config-with-main.ts';
import { temporaryFolder } from '../support/folder.ts';
import { anyOf, MarketPublisher } from '../support/market-publisher.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { Numbering, RelayReader } from '../workerd/support/relay-reader.ts';

const SOCKETS = 200;
const ROOMS = 20;
const SYMBOLS = 60;
const USERS = 5;
const RELAYS = 3;
/** They are not filled evenly, and clients that come at once find out together that one is full. */
const MOST_RELAYS = 16;
const KILLS = 3;
const BATCH_EVERY_MS = 100;
/** Before each kill so many objects are evicted, and most subscriptions are back before the next one. */
const EVICTIONS = 4;
const EVICT_AFTER_MS = 250;
/** The parts of all subscriptions that are left after a kill, at most, and back before the next one, at least. */
const FEW = 0.5;
const MOST = 0.8;
/** How often one of all the sockets is cut, and how often one changes a room. */
const CUT_EVERY_MS = 100;
const CHANGE_EVERY_MS = 50;
const BACK_WITHIN_MS = 500;
/** In characters: some ack often, some after half a window, and some never. */
const ACKS_AFTER = [1_000, 128 * 1024, Number.POSITIVE_INFINITY];
const ALL_WITHIN_MS = 40_000;

class Client {
  readonly reader: RelayReader;
  /** How often it has been connected. */
  connections = 0;
  readonly #url: string;
  readonly #token: string | undefined;
  #socket: RawWebSocket | undefined;

  constructor(url: string, token: string | undefined, numbering: Numbering, ackAfter: number) {
    this.#url = url.replace('http', 'ws');
    this.#token = token;
    const say = (text: string) => this.#socket?.send(text);
    this.reader = new RelayReader({ numbering, ackAfter, say });
    onTestFinished(() => this.#socket?.cut());
  }

  /** Connects, where it was or anywhere, and comes back whenever it is cut off. */
  async connect(): Promise<void> {
    const { home = '/v1/ws', system } = this.reader;
    const path = Math.random() < 0.5 ? home : '/v1/ws';
    const address = `${this.#url}${path}${path.includes('?') ? '&' : '?'}${system}`;
    // Frames may come before it is known to be open.
    let early: string[] | undefined = [];
    const listener = {
      text: (payload: Buffer) => {
        const text = String(payload);
        if (early === undefined) this.reader.take(text);
        else early.push(text);
      },
      ended: () => {
        this.#socket = undefined;
        this.reader.end();
        void this.#comeBack();
      },
    };
    const opened = await RawWebSocket.open(address, listener, this.#token).catch(() => undefined);
    if (opened === undefined) return this.#comeBack();
    this.#socket = opened;
    this.connections++;
    this.reader.begin();
    for (const text of early) this.reader.take(text);
    early = undefined;
  }

  /** The network is lost, unless it is already. */
  cut(): void {
    if (this.#socket === undefined) return;
    this.#socket.cut();
    this.#socket = undefined;
    this.reader.end();
    void this.#comeBack();
  }

  /** Leaves one of its public rooms for another. */
  changeRoom(rooms: readonly string[]): void {
    const next = anyOf(rooms);
    const leaves = [...this.reader.rooms.values()].filter(
      ({ name, isLeft }) => !isLeft && name !== 'system' && !name.startsWith('user:'),
    );
    if (this.#socket === undefined || this.reader.rooms.has(next)) return;
    this.reader.unsubscribe(anyOf(leaves).name);
    this.reader.subscribe(next);
  }

  async #comeBack(): Promise<void> {
    await sleep(Math.random() * BACK_WITHIN_MS);
    await this.connect();
  }
}

/** Its own room, if it is a user, and public ones. */
function roomsOf(user: string | undefined, publicRooms: readonly string[]): Set<string> {
  const rooms = new Set(user === undefined ? [] : [`user:${user}`]);
  while (rooms.size < ROOMS) rooms.add(anyOf(publicRooms));
  return rooms;
}

function tokenOf(user: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return sign({ sub: user, exp }, DEVELOPMENT_JWT_SECRET, 'HS256');
}

/** Evicts a relay or a root that is in use. */
async function evictOne(url: string, readers: readonly RelayReader[], roots: readonly string[]) {
  const { home = '' } = anyOf(readers);
  const [, relay] = /home=([a-z-]+\.\d+)\./.exec(home) ?? [];
  const object = Math.random() < 0.5 ? `relay ${relay}` : anyOf(roots);
  const { status } = await fetch(`${url}/evict?object=${encodeURIComponent(object)}`);
  if (status !== 200) throw new Error(`${object} was not evicted: ${status}`);
}

test('R14: durable rooms are complete, and holes of others are named, after evictions and three kill -9', {
  timeout: 300_000,
}, async () => {
  const told: string[] = [];
  const folder = await temporaryFolder();
  const worker = await startWorker({
    port: await freePort(),
    stateDir: join(folder, 'objects'),
    configPath: await configWithMain(folder, 'test/workerd/support/evictable.ts'),
    bindings: { ROOM_MAX_SOCKETS: String(Math.ceil(SOCKETS / RELAYS)), ROOM_MAX_FOLLOWERS: '4' },
    log: (line) => told.push(line),
  });
  onTestFinished(() => worker.stop());
  const publisher = new MarketPublisher(worker.url, SYMBOLS, USERS);
  await publisher.publishAll();
  const numbering = new Numbering();
  const { publicRooms } = publisher;
  const clients = await Promise.all(
    Array.from({ length: SOCKETS }, async (_, index) => {
      // Every second one is anonymous.
      const user = index % 2 === 0 ? undefined : anyOf(publisher.users);
      const token = user === undefined ? undefined : await tokenOf(user);
      const client = new Client(
        worker.url,
        token,
        numbering,
        ACKS_AFTER[index % ACKS_AFTER.length] ?? 0,
      );
      for (const room of roomsOf(user, publicRooms)) client.reader.subscribe(room);
      await client.connect();
      return client;
    }),
  );
  const readers = clients.map(({ reader }) => reader);
  const rooms = () => readers.flatMap((reader) => [...reader.rooms.values()]);
  const members = () => rooms().filter(({ isMember }) => isMember).length / rooms().length;
  const mostAreBack = () => members() > MOST;
  await until('all are members', () => members() === 1, ALL_WITHIN_MS);

  const running = publisher.run(BATCH_EVERY_MS);
  const cutting = setInterval(() => anyOf(clients).cut(), CUT_EVERY_MS);
  const changing = setInterval(() => anyOf(clients).changeRoom(publicRooms), CHANGE_EVERY_MS);
  for (let kills = 0; kills < KILLS; kills++) {
    for (let evictions = 0; evictions < EVICTIONS; evictions++) {
      await sleep(EVICT_AFTER_MS);
      await evictOne(worker.url, readers, [...publicRooms, 'system']);
      await until('most are back', mostAreBack, ALL_WITHIN_MS);
    }
    process.kill(worker.workerdPid() ?? 0, 'SIGKILL');
    await until('workerd ended', () => members() < FEW);
    await until('most are back', mostAreBack, ALL_WITHIN_MS);
  }
  clearInterval(cutting);
  clearInterval(changing);
  publisher.stop();
  await running;
  // So the newest event of each room is one that no crash has taken.
  await publisher.publishAll();
  const lagging = () =>
    rooms().filter(({ name, newest }) =>
      [...(publisher.published.get(name) ?? [])].some(([symbol, n]) => newest.get(symbol) !== n),
    );
  await until('all have all', () => lagging().length === 0, ALL_WITHIN_MS).catch((cause) => {
    const [few, faults] = [lagging(), readers.flatMap((reader) => reader.faults)];
    throw new Error(`${few.length} lag, such as ${few[0]?.name}; ${faults[0]}`, { cause });
  });

  expect(readers.flatMap(({ faults }) => faults).slice(0, 5)).toEqual([]);
  expect(told.filter((line) => line.includes('room_aborted'))).toEqual([]);
  const homes = new Set(readers.map(({ home }) => home));
  expect(homes.size).toBeGreaterThanOrEqual(RELAYS);
  expect(homes.size).toBeLessThanOrEqual(MOST_RELAYS);
  const sum = (pick: (reader: RelayReader) => number) =>
    readers.reduce((total, reader) => total + pick(reader), 0);
  const seen = {
    published: publisher.count,
    connections: clients.reduce((total, { connections }) => total + connections, 0),
    events: sum((reader) => reader.seen.events),
    gaps: sum((reader) => reader.seen.gaps),
    recovered: sum((reader) => reader.seen.recovered),
    left: sum((reader) => reader.seen.left),
    refused: sum((reader) => reader.seen.refused),
  };
  console.log(seen);
  expect(seen.connections).toBeGreaterThan((KILLS + 1) * SOCKETS);
  expect(seen.gaps).toBeGreaterThan(0);
  expect(seen.recovered).toBeGreaterThan(0);
  expect(seen.left).toBeGreaterThan(0);
  expect(seen.events).toBeGreaterThan(seen.published);
});
