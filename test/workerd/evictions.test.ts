/**
 * Relays and roots end in every way that the platform has, one after the other, while events come: what
 * the readers of a relay see of it.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Room } from '../../worker/room/durable-object.ts';
import { type Client, connectRelay, tokenFor } from './support/connect.ts';
import { publishWithoutKafka } from './support/publish.ts';
import { Numbering, RelayReader } from './support/relay-reader.ts';

const ENDINGS = ['sleeps', 'is evicted', 'crashes'] as const;
const READERS = 3;
const WAIT = { timeout: 20_000, interval: 10 };
/** It is long enough for a busy machine. */
const TIMEOUT_MS = 120_000;

/** How many alerts there are: `system` is of all tests. */
let alerts = 0;

/** A room of each kind of log, and the one that every socket reads. */
class Rooms {
  readonly user: string;
  readonly symbol: string;
  /** Those that a client asks for. */
  readonly names: readonly string[];
  #published = 0;

  constructor(name: string) {
    this.user = `user-${name}`;
    this.symbol = name.toUpperCase();
    this.names = [`price:${this.symbol}`, `trade:${this.symbol}`, `user:${this.user}`];
  }

  async publish(): Promise<void> {
    const n = ++this.#published;
    const { symbol } = this;
    const trade = { tradeId: String(n), price: 1, amount: 1, side: 'buy', n };
    const target = { type: 'user', id: this.user };
    const common = { timestamp: 1 };
    await publishWithoutKafka('price.updates', [
      { type: 'price_update', symbol, data: { price: n, n }, ...common },
    ]);
    await publishWithoutKafka('trade.notifications', [
      { type: 'trade_notification', symbol, data: trade, ...common },
    ]);
    await publishWithoutKafka('notifications', [
      { type: 'order_filled', target, data: { n }, ...common },
    ]);
    const alert = { level: 'info', title: 't', message: 'm', n: ++alerts };
    await publishWithoutKafka('system.alerts', [{ type: 'system_alert', data: alert, ...common }]);
  }

  /** Whether a client is a member of all rooms, and has their newest events. */
  areAllAt(reader: RelayReader): boolean {
    return [...reader.rooms.values()].every(({ name, isMember, newest }) => {
      const n = name === 'system' ? alerts : this.#published;
      return isMember && Math.max(0, ...newest.values()) === n;
    });
  }
}

/** A client that comes back to its relay, and asks for its rooms with its cursors. */
class Reader {
  readonly reader: RelayReader;
  readonly #token: string;
  #client: Client | undefined;

  constructor(numbering: Numbering, token: string) {
    this.#token = token;
    const say = (text: string) => this.#client?.socket.send(text);
    this.reader = new RelayReader({ numbering, ackAfter: 1_000, say });
  }

  async connect(): Promise<void> {
    const path = `${this.reader.home ?? '/v1/ws?home=none'}&${this.reader.system}`;
    const client = await connectRelay(path, this.#token);
    this.#client = client;
    this.reader.begin();
    for (const text of client.texts) this.reader.take(text);
    client.socket.addEventListener('message', ({ data }) => this.reader.take(String(data)));
    client.socket.addEventListener('close', () => {
      this.reader.end();
      if (this.#client === client) void this.connect();
    });
  }

  /** The object that holds its socket. */
  get relay(): string {
    const [, place] = /home=([a-z]+\.\d+)\./.exec(this.reader.home ?? '') ?? [];
    return `relay ${place}`;
  }

  async end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    client?.socket.close();
    await client?.closed;
  }
}

async function end(object: string, ending: (typeof ENDINGS)[number]): Promise<void> {
  const stub: DurableObjectStub<Room> = env.ROOM.getByName(object);
  switch (ending) {
    case 'sleeps':
      return evictDurableObject(stub, { webSockets: 'hibernate' });
    case 'is evicted':
      return evictDurableObject(stub, { webSockets: 'close' });
    case 'crashes':
      await runInDurableObject(stub, (_, state) => state.abort('crash')).catch(() => {});
  }
}

describe('R14: the readers of a relay', () => {
  it.each(ENDINGS)(
    'have all in order, and once, when their relay or a root %s',
    {
      timeout: TIMEOUT_MS,
    },
    async (ending) => {
      const rooms = new Rooms(ending.replaceAll(' ', ''));
      const numbering = new Numbering();
      const token = await tokenFor(rooms.user);
      const clients = Array.from({ length: READERS }, () => new Reader(numbering, token));
      for (const { reader } of clients) for (const room of rooms.names) reader.subscribe(room);
      for (const client of clients) await client.connect();
      const haveAll = () => clients.every(({ reader }) => rooms.areAllAt(reader));
      const relays = new Set(clients.map(({ relay }) => relay));

      for (const object of [...relays, ...rooms.names, 'system', ...relays]) {
        await rooms.publish();
        await vi.waitUntil(haveAll, WAIT);
        await end(object, ending);
        await rooms.publish();
        await vi.waitUntil(haveAll, WAIT);
      }

      expect(clients.flatMap(({ reader }) => reader.faults)).toEqual([]);
      // A price room that ends before it has rested has lost its tail, and says so.
      const most = ending === 'sleeps' ? 0 : 1;
      for (const { reader } of clients) expect(reader.seen.gaps).toBeLessThanOrEqual(most);
      for (const client of clients) await client.end();
    },
  );
});
