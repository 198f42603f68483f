/** Sockets that ask for the times of events, in workerd: from the batch to the frame. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type Client, connect, connectRelay, eventsOf } from './support/connect.ts';
import { body, post, publishWithoutKafka } from './support/publish.ts';

const KAFKA_AT = 1_700_000_000_000;
const SENT_AT = 1_700_000_000_005;

const price = (symbol: string) => ({
  type: 'price_update',
  symbol,
  data: { price: 1 },
  timestamp: 1,
});

/** POSTs one record as a bridge that says when it made the batch. */
async function publish(symbol: string, offset: number): Promise<void> {
  const place = { partition: 0, offset, timestamp: KAFKA_AT + offset };
  const records = [{ topic: 'price.updates', ...place, value: price(symbol) }];
  const text = body(records, 'traced').replace('{', `{"sentAt":${SENT_AT},`);
  expect((await post(text)).status).toBe(200);
}

async function timesOf(client: Client, count: number): Promise<unknown[]> {
  return (await client.events(count)).map((numbered) => 'times' in numbered && numbered.times);
}

/** What the times of an event are whose offset is `offset`, and that was published after `since`. */
const times = (offset: number, since: number) => [
  KAFKA_AT + offset,
  SENT_AT,
  expect.toSatisfy((worker) => since <= worker && worker <= Date.now()),
  expect.toSatisfy((room) => since <= room && room <= Date.now()),
];

describe('R15: trace=on', () => {
  it('sends the times of each event to the socket of a room that asked, also after a sleep, and to no other', async () => {
    const since = Date.now();
    const client = await connect('price:TRACE?trace=on');
    const others = [await connect('price:TRACE'), await connect('price:TRACE?trace=off')];
    await publish('TRACE', 0);
    await client.events(1);
    const stub = env.ROOM.getByName('price:TRACE');
    const isDirty = () =>
      runInDurableObject(stub, (_, { storage }) => {
        const sql = 'SELECT state FROM chunk ORDER BY slot';
        const [row] = storage.sql.exec<{ state: string }>(sql).toArray();
        return JSON.parse(row?.state ?? '{}').dirty;
      });
    await expect.poll(isDirty, { timeout: 20_000 }).toBe(false);
    await evictDurableObject(stub, { webSockets: 'hibernate' });
    await publish('TRACE', 1);
    expect(await timesOf(client, 2)).toEqual([times(0, since), times(1, since)]);
    for (const other of others) expect(await timesOf(other, 2)).toEqual([false, false]);
    const late = await connect('price:TRACE?trace=on');
    expect((await late.received('snapshot')).flatMap(eventsOf)).toMatchObject([{ seq: 2 }]);
    expect(late.texts.join()).not.toContain('"times"');
  });

  it('sends the times of the room to a socket of a relay, also when it comes back home', async () => {
    const since = Date.now();
    const subscribe = JSON.stringify({ type: 'subscribe', rooms: [{ room: 'price:TRACED' }] });
    const client = await connectRelay('/v1/ws?system=off&trace=on');
    client.socket.send(subscribe);
    await client.received('snapshot');
    await publish('TRACED', 0);
    expect(await timesOf(client, 1)).toEqual([times(0, since)]);
    const [{ home } = { home: '' }] = await client.received('welcome');
    client.socket.close();
    const back = await connectRelay(`${home}&system=off`);
    back.socket.send(subscribe);
    await back.received('snapshot');
    await publish('TRACED', 1);
    expect(await timesOf(back, 1)).toEqual([times(1, since)]);
  });

  it('sends null for what a publisher without Kafka does not have', async () => {
    const client = await connect('price:TRACE-HTTP?trace=on');
    await publishWithoutKafka('price.updates', [price('TRACE-HTTP')]);
    const [told] = await timesOf(client, 1);
    expect(told).toEqual([null, null, expect.any(Number), expect.any(Number)]);
  });

  it.each(['rooms/price:TRACE?trace=1', 'ws?trace='])('is all that %s may say', async (path) => {
    const headers = { Upgrade: 'websocket' };
    const response = await exports.default.fetch(`https://gateway.test/v1/${path}`, { headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'trace_invalid' } });
  });
});

it('I4: a batch whose sentAt is not a time is refused as a whole', async () => {
  const place = { partition: 0, offset: 9, timestamp: 1 };
  const text = body([{ topic: 'price.updates', ...place, value: price('TRACE') }], 'traced');
  for (const sentAt of ['-1', '"now"', 'null']) {
    const response = await post(text.replace('{', `{"sentAt":${sentAt},`));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'batch_malformed' } });
  }
});
