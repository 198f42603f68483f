/** What a room remembers: through hibernation, eviction and a crash, and what it costs in rows. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Room } from '../../worker/room/durable-object.ts';
import { IDLE_TIME } from '../../worker/room/store/memory-store.ts';
import { connect, eventsOf } from './support/connect.ts';
import { publish } from './support/publish.ts';

const stubOf = (room: string): DurableObjectStub<Room> => env.ROOM.getByName(room);

const price = (symbol: string, value: number) => ({
  topic: 'price.updates',
  offset: value,
  timestamp: 1_700_000_000_000 + value,
  value: { type: 'price_update', symbol, data: { price: value }, timestamp: 1 },
});

const trade = (symbol: string, id: number) => ({
  topic: 'trade.notifications',
  offset: id,
  timestamp: 1_700_000_000_000 + id,
  value: {
    type: 'trade_notification',
    symbol,
    data: { tradeId: String(id), price: 1, amount: 1, side: 'buy' },
    timestamp: 1,
  },
});

const epochOf = (frame: { [member: string]: unknown } | undefined) => Number(frame?.epoch);

/** The rows that SQLite counts as written while each record is appended by itself, and `ms` after. */
async function rowsWritten(room: string, records: readonly Record[], ms = 0): Promise<number> {
  return runInDurableObject(stubOf(room), async (instance: Room, { storage }) => {
    const { sql } = storage;
    const exec = sql.exec;
    let rows = 0;
    sql.exec = <Row extends globalThis.Record<string, SqlStorageValue>>(
      query: string,
      ...bindings: unknown[]
    ) => {
      const cursor = exec.call<SqlStorage, [string, ...unknown[]], SqlStorageCursor<Row>>(
        sql,
        query,
        ...bindings,
      );
      rows += cursor.rowsWritten;
      return cursor;
    };
    for (const { value, topic, offset, timestamp } of records) {
      const event = JSON.stringify(value);
      const place = [topic, 0, offset, timestamp] as const;
      const record = [0, event, value.symbol, undefined, 'medium', ...place] as const;
      await instance.append({ kind: 'kafka', source: 'cluster-1', records: [record] });
    }
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    sql.exec = exec;
    return rows;
  });
}

type Record = ReturnType<typeof price> | ReturnType<typeof trade>;

async function chunksOf(room: string): Promise<{ slot: number; state: string }[]> {
  return runInDurableObject(stubOf(room), (_, { storage }) =>
    storage.sql
      .exec<{ slot: number; state: string }>('SELECT slot, state FROM chunk ORDER BY slot')
      .toArray(),
  );
}

describe('a durable room', () => {
  it('that was evicted before its first event gives a client that comes back all of them (R5)', async () => {
    const early = await connect('trade:EARLY');
    const [{ epoch } = { epoch: 0 }] = await early.received('subscribed');
    early.socket.close();
    await early.closed;
    await evictDurableObject(stubOf('trade:EARLY'));
    await publish(Array.from({ length: 80 }, (_, id) => trade('EARLY', id)));
    const back = await connect(`trade:EARLY?since=${epoch}:0`);
    expect(await back.received('subscribed')).toMatchObject([{ recovered: true, seq: 80 }]);
    expect((await back.events(80)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 80 }, (_, index) => index + 1),
    );
  });

  it('keeps its log, numbering and positions when its object is lost', async () => {
    const before = await connect('trade:LOST');
    await publish([trade('LOST', 1), trade('LOST', 2)]);
    await before.events(2);
    await evictDurableObject(stubOf('trade:LOST'), { webSockets: 'close' });
    const after = await connect('trade:LOST');
    const [subscribed] = await after.received('subscribed');
    const [snapshot] = await after.received('snapshot');
    expect(subscribed).toMatchObject({ seq: 2, recovered: false });
    expect(epochOf(subscribed)).toBe(epochOf((await before.received('subscribed'))[0]));
    expect(eventsOf(snapshot).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await publish([trade('LOST', 2), trade('LOST', 3)])).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
    expect(await after.events(1)).toMatchObject([{ seq: 3, event: { data: { tradeId: '3' } } }]);
  });

  it('R5: gives a client that comes back everything it missed, and then goes on', async () => {
    const first = await connect('trade:BACK');
    await publish([trade('BACK', 1)]);
    await first.events(1);
    const epoch = epochOf((await first.received('subscribed'))[0]);
    first.socket.close();
    await publish([trade('BACK', 2), trade('BACK', 3)]);
    await evictDurableObject(stubOf('trade:BACK'), { webSockets: 'close' });
    const second = await connect(`trade:BACK?since=${epoch}:1`);
    expect(await second.received('subscribed')).toMatchObject([{ epoch, seq: 3, recovered: true }]);
    await publish([trade('BACK', 4)]);
    const frames = await second.received('events', 2);
    expect(frames.map(({ after }) => after)).toEqual([1, 3]);
    expect(frames.flatMap(eventsOf).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  it('sends a client whose cursor fell off the tail the gap, then the snapshot', async () => {
    for (let batch = 0; batch < 3; batch++) {
      await publish(Array.from({ length: 400 }, (_, index) => trade('TRIM', batch * 400 + index)));
    }
    const first = await connect('trade:TRIM');
    const epoch = epochOf((await first.received('subscribed'))[0]);
    const late = await connect(`trade:TRIM?since=${epoch}:5`);
    expect(await late.received('subscribed')).toMatchObject([{ seq: 1200, recovered: false }]);
    expect(await late.received('gap')).toMatchObject([
      { epoch, from: 5, to: 1200, reason: 'trimmed' },
    ]);
    const [snapshot] = await late.received('snapshot');
    expect(snapshot).toMatchObject({ epoch, seq: 1200 });
    expect(eventsOf(snapshot).at(-1)?.seq).toBe(1200);
    const near = await connect(`trade:TRIM?since=${epoch}:200`);
    expect(await near.received('subscribed')).toMatchObject([{ recovered: true }]);
    expect((await near.events(1000)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 1000 }, (_, index) => 201 + index),
    );
  });

  it('writes one row per append, and reuses the slots of what was trimmed', async () => {
    await publish([trade('ROWS', 0)]);
    const appends = Array.from({ length: 3000 }, (_, index) => trade('ROWS', index + 1));
    expect(await rowsWritten('trade:ROWS', appends)).toBe(3000);
    const slots = (await chunksOf('trade:ROWS')).map(({ slot }) => slot);
    expect(Math.max(...slots)).toBeLessThan(40);
  });

  it('sweeps what has expired, but remembers its positions', async () => {
    const alert = (offset: number, expiresAt: number) => ({
      topic: 'system.alerts',
      offset,
      timestamp: offset,
      value: {
        type: 'system_alert',
        userId: 'swept',
        data: { level: 'info', title: 't', message: 'm', expiresAt },
        timestamp: 1,
      },
    });
    const expiresAt = Date.now() + 50;
    await publish([alert(1, expiresAt)]);
    await expect.poll(() => Date.now()).toBeGreaterThan(expiresAt);
    expect(await runDurableObjectAlarm(stubOf('user:swept'))).toBe(true);
    const rows = await runInDurableObject(stubOf('user:swept'), (_, { storage }) =>
      storage.sql.exec<{ entries: string }>('SELECT entries FROM chunk').toArray(),
    );
    expect(rows).toEqual([{ entries: '' }]);
    await evictDurableObject(stubOf('user:swept'), { webSockets: 'close' });
    const again = await publish([alert(1, Date.now() + 60_000)]);
    expect(again).toMatchObject({ accepted: 0, duplicates: 1 });
  });
});

describe('an in-memory room', () => {
  it('is saved when idle: its snapshot, numbering and positions survive', async () => {
    const client = await connect('price:IDLE');
    await publish([price('IDLE', 1), price('IDLE', 2)]);
    await client.events(2);
    const epoch = epochOf((await client.received('subscribed'))[0]);
    await expect
      .poll(async () => JSON.parse((await chunksOf('price:IDLE'))[0]?.state ?? '{}').dirty, {
        timeout: 8_000,
      })
      .toBe(false);
    await evictDurableObject(stubOf('price:IDLE'), { webSockets: 'close' });
    const again = await connect(`price:IDLE?since=${epoch}:2`);
    expect(await again.received('subscribed')).toMatchObject([{ epoch, seq: 2, recovered: true }]);
    const fresh = await connect('price:IDLE');
    const [snapshot] = await fresh.received('snapshot');
    expect(snapshot).toMatchObject({ epoch, seq: 2 });
    expect(eventsOf(snapshot)).toMatchObject([{ seq: 2, event: { data: { price: 2 } } }]);
    expect(await publish([price('IDLE', 2)])).toMatchObject({ duplicates: 1 });
  });

  it('hibernates with its sockets, which go on where they were', async () => {
    const client = await connect('price:SLEEP');
    await publish([price('SLEEP', 1)]);
    await client.events(1);
    await expect
      .poll(async () => JSON.parse((await chunksOf('price:SLEEP'))[0]?.state ?? '{}').dirty, {
        timeout: 8_000,
      })
      .toBe(false);
    await evictDurableObject(stubOf('price:SLEEP'), { webSockets: 'hibernate' });
    await publish([price('SLEEP', 2)]);
    const frames = await client.received('events', 2);
    expect(frames[1]).toMatchObject({ after: 1, events: [{ seq: 2 }] });
  });

  it('that was lost with a tail starts a greater epoch, and says so', async () => {
    const client = await connect('price:CRASH');
    await publish([price('CRASH', 1)]);
    await client.events(1);
    const epoch = epochOf((await client.received('subscribed'))[0]);
    expect(JSON.parse((await chunksOf('price:CRASH'))[0]?.state ?? '{}').dirty).toBe(true);
    await runInDurableObject(stubOf('price:CRASH'), (_, state) => state.abort('crash')).catch(
      () => undefined,
    );
    const again = await connect(`price:CRASH?since=${epoch}:1`);
    const [subscribed] = await again.received('subscribed');
    expect(subscribed).toMatchObject({ recovered: false });
    expect(epochOf(subscribed)).toBeGreaterThan(epoch);
    expect(await again.received('gap')).toMatchObject([
      { epoch: epochOf(subscribed), reason: 'epoch' },
    ]);
    await again.received('snapshot');
    // What the lost tail held is taken again.
    expect(await publish([price('CRASH', 1)])).toMatchObject({ accepted: 1 });
  });

  it('writes at most three rows per active period, however much it is sent', async () => {
    await publish([price('COST', 0)]);
    const appends = Array.from({ length: 500 }, (_, index) => price('COST', index + 1));
    const written = await rowsWritten('price:COST', appends, IDLE_TIME + 500);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(3);
  });
});

describe('a room that nobody published to', () => {
  it('has no table, and keeps the epoch that its members were told through hibernation', async () => {
    const client = await connect('price:QUIET');
    const epoch = epochOf((await client.received('subscribed'))[0]);
    const tables = await runInDurableObject(stubOf('price:QUIET'), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'chunk'").toArray(),
    );
    expect(tables).toEqual([]);
    await evictDurableObject(stubOf('price:QUIET'), { webSockets: 'hibernate' });
    const other = await connect('price:QUIET');
    expect(epochOf((await other.received('subscribed'))[0])).toBe(epoch);
    await publish([price('QUIET', 1)]);
    expect(await client.received('events')).toMatchObject([{ after: 0, events: [{ seq: 1 }] }]);
  });
});
