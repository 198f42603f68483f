import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { importSecret, sign } from '../../worker/protocol/batch/signature.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import type { Room } from '../../worker/room/durable-object.ts';
import { MAX_WEBHOOK_IDS } from '../../worker/room/intake/webhook-ids.ts';
import { connect, eventsOf, tokenFor } from './support/connect.ts';
import { body, errorCodeOf, post, publish, publishWithoutKafka } from './support/publish.ts';

const price = (symbol: string, value: number) => ({
  type: 'price_update',
  symbol,
  data: { price: value },
  timestamp: 1703123456789,
});
const encoder = new TextEncoder();

async function refusal(response: Response): Promise<[number, string]> {
  return [response.status, await errorCodeOf(response)];
}

describe('a batch is let in by its signature', () => {
  const text = body([{ topic: 'price.updates', value: price('SIG-USDC', 1) }]);

  it('I1: refuses one without a signature', async () => {
    expect(await refusal(await post(text, { headers: {} }))).toEqual([401, 'signature_missing']);
  });

  it('refuses one signed with another secret', async () => {
    const secret = `whsec_${btoa('another secret of 24 bytes')}`;
    expect(await refusal(await post(text, { secret }))).toEqual([401, 'signature_invalid']);
  });

  it('refuses one whose body was truncated or changed after signing', async () => {
    const keys = [await importSecret(DEVELOPMENT_INGEST_SECRET)];
    const headers = { ...(await sign(keys, 'cut', encoder.encode(text))) };
    expect(await refusal(await post(text.slice(0, -1), { headers }))).toEqual([
      401,
      'signature_invalid',
    ]);
    expect(await refusal(await post(text.replace('1}', '9}'), { headers }))).toEqual([
      401,
      'signature_invalid',
    ]);
  });

  it('refuses one signed more than five minutes ago, or ahead', async () => {
    const keys = [await importSecret(DEVELOPMENT_INGEST_SECRET)];
    const now = Math.floor(Date.now() / 1000);
    for (const time of [now - 301, now + 302]) {
      const headers = { ...(await sign(keys, 'old', encoder.encode(text), time)) };
      expect(await refusal(await post(text, { headers }))).toEqual([401, 'signature_stale']);
    }
  });

  it('refuses ids and times that are not headers of the specification', async () => {
    const keys = [await importSecret(DEVELOPMENT_INGEST_SECRET)];
    const headers = { ...(await sign(keys, 'id', encoder.encode(text))) };
    for (const change of [{ 'webhook-timestamp': '1e9' }, { 'webhook-id': 'x'.repeat(129) }]) {
      const answer = await post(text, { headers: { ...headers, ...change } });
      expect(await refusal(answer)).toEqual([401, 'signature_invalid']);
    }
  });

  it('takes any of several signatures, as during a rotation', async () => {
    const other = await importSecret(`whsec_${btoa('another secret of 24 bytes')}`);
    const ours = await importSecret(DEVELOPMENT_PUBLISHER_SECRET);
    const headers = { ...(await sign([other, ours], 'rotation', encoder.encode(text))) };
    expect((await post(text, { headers })).status).toBe(200);
  });

  it('I6: never lets a publisher state a position', async () => {
    const records = [
      { topic: 'price.updates', partition: 0, offset: 9, timestamp: 1, value: price('P-USDC', 1) },
    ];
    const options = { secret: DEVELOPMENT_PUBLISHER_SECRET };
    expect(await refusal(await post(body(records, 'c'), options))).toEqual([
      403,
      'position_forbidden',
    ]);
    expect(await refusal(await post(body(records), options))).toEqual([400, 'batch_malformed']);
    const record = { topic: 'price.updates', offset: 3, value: price('P-USDC', 2) };
    const answer = await publish([record], 'c');
    expect(answer).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
  });
});

describe('I2: a body', () => {
  it.each([
    ['not JSON', '{"records":[', 400, 'body_not_json'],
    ['no batch', '[]', 400, 'batch_malformed'],
    ['without records', '{"records":[]}', 400, 'batch_malformed'],
    ['with a record that is no object', '{"records":[1]}', 400, 'record_malformed'],
    ['with records that are no list', '{"records":1}', 400, 'batch_malformed'],
    [
      'with no source, and positions',
      body([{ topic: 't', partition: 0, offset: 1, timestamp: 1, value: {} }]),
      400,
      'batch_malformed',
    ],
    [
      'with a source that is null',
      '{"source":null,"records":[{"topic":"t","partition":0,"offset":1,"timestamp":1,"value":{}}]}',
      400,
      'batch_malformed',
    ],
    [
      'with a source of 74 characters',
      body([{ topic: 't', partition: 0, offset: 1, timestamp: 1, value: {} }], 'c'.repeat(74)),
      400,
      'batch_malformed',
    ],
    [
      'with a negative offset',
      body([{ topic: 't', partition: 0, offset: -1, timestamp: 1, value: {} }], 'c'),
      400,
      'record_malformed',
    ],
    [
      'with a fractional partition',
      body([{ topic: 't', partition: 0.5, offset: 1, timestamp: 1, value: {} }], 'c'),
      400,
      'record_malformed',
    ],
    [
      'with a byte order mark',
      '\ufeff{"records":[{"topic":"t","value":{}}]}',
      400,
      'body_not_json',
    ],
    [
      'of too many records',
      body(Array.from({ length: 501 }, () => ({ topic: 't', value: {} }))),
      413,
      'batch_too_large',
    ],
    [
      'of too many bytes',
      `{"records":[{"topic":"t","value":"${'x'.repeat(1024 * 1024)}"}]}`,
      413,
      'batch_too_large',
    ],
  ])('%s is refused', async (_, text, status, code) => {
    expect(await refusal(await post(text))).toEqual([status, code]);
  });

  it('that is not UTF-8 is refused', async () => {
    const bytes = encoder.encode('{"records":[{"topic":"t","value":"x"}]}');
    bytes[bytes.indexOf(120)] = 0xff;
    expect(await refusal(await post(bytes))).toEqual([400, 'body_not_utf8']);
  });

  it('that nests a hundred thousand levels harms nobody', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const answer = await publishWithoutKafka('price.updates', [
      `{"type":"price_update","symbol":"DEEP","data":{"price":1,"x":${deep}},"timestamp":1}`,
      price('DEEP', 2),
    ]);
    expect(answer.accepted).toBe(1);
    expect(answer.rejected).toMatchObject([{ index: 0, code: 'event_too_deep' }]);
  });

  it('is read by POST alone', async () => {
    const response = await exports.default.fetch('https://gateway.test/v1/events');
    expect(await refusal(response)).toEqual([405, 'method_not_allowed']);
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('E4, E5, I4: a bad record costs no other record anything', () => {
  const good = price('MIX-USDC', 1);
  it.each([
    ['of an unknown topic', 'orders', good, 'topic_unknown'],
    ['that is no object', 'price.updates', '[1]', 'event_not_object'],
    ['that is null', 'price.updates', 'null', 'event_not_object'],
    ['of another type', 'price.updates', { ...good, type: 'portfolio_update' }, 'type_invalid'],
    ['without a symbol', 'price.updates', { ...good, symbol: undefined }, 'symbol_invalid'],
    [
      'with a symbol that names a branch',
      'price.updates',
      { ...good, symbol: 'BTC weur.1' },
      'symbol_invalid',
    ],
    ['without data', 'price.updates', { ...good, data: undefined }, 'data_invalid'],
    [
      'whose price is a word',
      'price.updates',
      { ...good, data: { price: 'high' } },
      'data_invalid',
    ],
    [
      'whose price is infinite',
      'price.updates',
      '{"type":"price_update","symbol":"X","data":{"price":1e999},"timestamp":1}',
      'data_invalid',
    ],
    [
      'whose volume is an object',
      'price.updates',
      { ...good, data: { price: 1, volume: {} } },
      'data_invalid',
    ],
    ['without a time', 'price.updates', { ...good, timestamp: undefined }, 'timestamp_invalid'],
    ['whose time is a text', 'price.updates', { ...good, timestamp: '1' }, 'timestamp_invalid'],
    [
      'of no known priority',
      'price.updates',
      { ...good, metadata: { priority: 'urgent' } },
      'metadata_invalid',
    ],
    [
      'with a key twice',
      'price.updates',
      '{"type":"price_update","symbol":"X","symbol":"Y","data":{"price":1},"timestamp":1}',
      'duplicate_key',
    ],
    [
      'with a key twice, once escaped',
      'price.updates',
      '{"type":"price_update","symbol":"X","data":{"price":1,"pr\\u0069ce":2},"timestamp":1}',
      'duplicate_key',
    ],
    [
      'with a key twice deep inside',
      'price.updates',
      '{"type":"price_update","symbol":"X","data":{"price":1,"a":[{"b":1,"b":2}]},"timestamp":1}',
      'duplicate_key',
    ],
    [
      'with __proto__',
      'price.updates',
      '{"type":"price_update","symbol":"X","data":{"price":1,"__proto__":{"a":1}},"timestamp":1}',
      'forbidden_key',
    ],
    [
      'with constructor deep inside',
      'price.updates',
      '{"type":"price_update","symbol":"X","data":{"price":1,"a":{"constructor":{}}},"timestamp":1}',
      'forbidden_key',
    ],
    [
      'whose metadata is an array',
      'price.updates',
      { ...good, metadata: ['x'] },
      'metadata_invalid',
    ],
    [
      'whose metadata is an empty array',
      'price.updates',
      { ...good, metadata: [] },
      'metadata_invalid',
    ],
    [
      'whose fees are an array',
      'trade.notifications',
      {
        ...good,
        type: 'trade_notification',
        data: { tradeId: 't', price: 1, amount: 1, side: 'buy', fees: [] },
      },
      'data_invalid',
    ],
    [
      'whose notification holds an array',
      'notifications',
      { type: 'swap_failed', target: { type: 'all' }, data: [1] },
      'data_invalid',
    ],
    [
      'with a user deep inside, for a public room',
      'price.updates',
      { ...good, data: { price: 1, last: [{ userId: 'u' }] } },
      'private_field',
    ],
    [
      'with a user deep inside, for everyone',
      'system.alerts',
      {
        type: 'system_alert',
        data: { level: 'info', title: 't', message: 'm', details: { userId: 'u' } },
        timestamp: 1,
      },
      'private_field',
    ],
    [
      'too large',
      'price.updates',
      { ...good, data: { price: 1, note: 'x'.repeat(300_000) } },
      'event_too_large',
    ],
    [
      'with the user in a public room',
      'price.updates',
      { ...good, data: { price: 1, userId: 'u' } },
      'private_field',
    ],
    [
      'whose book has no pairs',
      'order.book.updates',
      { ...good, type: 'order_book_update', data: { bids: [[1]], asks: [] } },
      'data_invalid',
    ],
    [
      'whose trade has no side',
      'trade.notifications',
      { ...good, type: 'trade_notification', data: { tradeId: 't', price: 1, amount: 1 } },
      'data_invalid',
    ],
    [
      'whose portfolio is nobody’s',
      'portfolio.updates',
      { type: 'portfolio_update', data: { totalValue: 1 }, timestamp: 1 },
      'user_id_invalid',
    ],
    [
      'whose alert has expired',
      'system.alerts',
      {
        type: 'system_alert',
        data: { level: 'info', title: 't', message: 'm', expiresAt: 1 },
        timestamp: 1,
      },
      'event_expired',
    ],
    ['that notifies nobody', 'notifications', { type: 'swap_failed', data: {} }, 'target_invalid'],
    [
      'that notifies a public room',
      'notifications',
      { type: 'swap_failed', target: { type: 'room', id: 'price:BTC-USDC' }, data: {} },
      'target_invalid',
    ],
    [
      'that notifies under an event’s type',
      'notifications',
      { type: 'price_update', target: { type: 'all' }, data: {} },
      'type_invalid',
    ],
    [
      'whose type is no snake_case',
      'notifications',
      { type: 'SwapFailed', target: { type: 'all' }, data: {} },
      'type_invalid',
    ],
  ])('%s', async (name, topic, value, code) => {
    const room = `MIX-${name.replaceAll(/[^a-z]+/g, '-')}`;
    const client = await connect(`price:${room}`);
    const answer = await publishWithoutKafka(topic, [value]);
    expect(answer).toMatchObject({ accepted: 0, duplicates: 0, rejected: [{ index: 0, code }] });
    const records = [
      { topic: 'price.updates', value: price(room, 1) },
      { topic, value },
      { topic: 'price.updates', value: price(room, 2) },
    ];
    expect(await publish(records, name)).toMatchObject({
      accepted: 2,
      rejected: [{ index: 1, code }],
    });
    expect((await client.events(2)).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe('exactly once', () => {
  const record = (symbol: string, offset: number, timestamp = 1_700_000_000_000 + offset) => ({
    topic: 'trade.notifications',
    offset,
    timestamp,
    value: {
      type: 'trade_notification',
      symbol,
      data: { tradeId: `t-${offset}-${timestamp}`, price: 1, amount: 1, side: 'buy' },
      timestamp: 1,
    },
  });
  const idsOf = (events: readonly { event: Record<string, unknown> }[]) =>
    events.map(({ event }) => JSON.stringify(event.data).match(/t-[0-9]+/)?.[0]);

  it('I5: a replay is all duplicates, within a batch and across overlapping ones', async () => {
    const client = await connect('trade:ONCE');
    expect(await publish([record('ONCE', 1), record('ONCE', 2)])).toMatchObject({ accepted: 2 });
    expect(await publish([record('ONCE', 1), record('ONCE', 2)])).toMatchObject({
      accepted: 0,
      duplicates: 2,
    });
    expect(await publish([record('ONCE', 2), record('ONCE', 3), record('ONCE', 3)])).toMatchObject({
      accepted: 1,
      duplicates: 2,
    });
    expect(idsOf(await client.events(3))).toEqual(['t-1', 't-2', 't-3']);
  });

  it('partitions, topics and clusters count apart', async () => {
    const records = [record('APART', 5), { ...record('APART', 5), partition: 1 }];
    expect(await publish(records)).toMatchObject({ accepted: 2 });
    expect(await publish([record('APART', 5)], 'cluster-2')).toMatchObject({ accepted: 1 });
  });

  it('a topic that was made anew counts from 0 again', async () => {
    const client = await connect('trade:ANEW');
    await publish([record('ANEW', 100), record('ANEW', 101)]);
    const later = 1_700_000_000_000 + 500;
    expect(await publish([record('ANEW', 0, later), record('ANEW', 1, later + 1)])).toMatchObject({
      accepted: 2,
      duplicates: 0,
    });
    expect(await publish([record('ANEW', 0, later)])).toMatchObject({ duplicates: 1 });
    expect(idsOf(await client.events(4))).toEqual(['t-100', 't-101', 't-0', 't-1']);
  });

  it('I6: a publisher’s batch is known by its webhook-id', async () => {
    const { value } = record('HOOK', 1);
    expect(
      await publishWithoutKafka('trade.notifications', [value, value], 'hook-1'),
    ).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(
      await publishWithoutKafka('trade.notifications', [value, value], 'hook-1'),
    ).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await publishWithoutKafka('trade.notifications', [value], 'hook-2')).toMatchObject({
      accepted: 1,
    });
  });

  it('two publishers may number their batches alike', async () => {
    const { value } = record('ALIKE', 1);
    const text = body([{ topic: 'trade.notifications', value }]);
    const first = await post(text, { secret: DEVELOPMENT_PUBLISHER_SECRET, id: 'msg_1' });
    const second = await post(text, { secret: DEVELOPMENT_INGEST_SECRET, id: 'msg_1' });
    expect(await first.json()).toMatchObject({ accepted: 1 });
    expect(await second.json()).toMatchObject({ accepted: 1 });
  });

  it('I3: a batch is sent again in full when one of its rooms could not take it', async () => {
    const ids = Array.from({ length: MAX_WEBHOOK_IDS }, (_, index) => index);
    const { value } = record('BUSY', 1);
    await runInDurableObject(env.ROOM.getByName('trade:BUSY'), async (room: Room) => {
      for (const id of ids) {
        const webhook = { kind: 'webhook', webhookId: String(id), staleAt: Date.now() + 60_000 };
        await room.append({ ...webhook, kind: 'webhook', records: [] });
      }
    });
    const own = { ...value, userId: 'busy' };
    const text = body([{ topic: 'trade.notifications', value: own }]);
    const send = () => post(text, { secret: DEVELOPMENT_PUBLISHER_SECRET, id: 'busy' });
    const busy = await send();
    expect(busy.headers.get('retry-after')).toBe('1');
    expect(await refusal(busy)).toEqual([429, 'batch_too_frequent']);
    // The other room has it already, and does not take it twice.
    const user = await connect('user:busy', await tokenFor('busy'));
    const [snapshot] = await user.received('snapshot');
    expect(eventsOf(snapshot).length).toBe(1);
    expect(await refusal(await send())).toEqual([429, 'batch_too_frequent']);
    const again = await connect('user:busy', await tokenFor('busy'));
    const [later] = await again.received('snapshot');
    expect(eventsOf(later).length).toBe(1);
  });

  it('a room that fails makes the whole batch come again, and costs the others nothing', async () => {
    // A stub breaks with its object.
    const stub = () => env.ROOM.getByName('trade:FAILS');
    const records = [record('FAILS', 1), { ...record('WELL', 1), partition: 1 }];
    await runInDurableObject(stub(), (_, { storage }) => {
      // A table of another shape: the room cannot write into it.
      storage.sql.exec(
        'CREATE TABLE chunk (slot INTEGER PRIMARY KEY, last, entries, state, more NOT NULL)',
      );
    });
    const positioned = records.map((item) => ({ partition: 0, ...item }));
    const failed = await post(body(positioned, 'cluster-1'));
    expect(await refusal(failed)).toEqual([503, 'room_unavailable']);
    await runInDurableObject(stub(), (_, { storage }) => {
      storage.sql.exec('DROP TABLE chunk');
    });
    await evictDurableObject(stub(), { webSockets: 'close' });
    expect(await publish(records)).toEqual({ accepted: 1, duplicates: 1, rejected: [] });
    const client = await connect('trade:FAILS');
    const [snapshot] = await client.received('snapshot');
    expect(eventsOf(snapshot).map(({ seq }) => seq)).toEqual([1]);
  });

  it('E1: a notification without a time gets its record’s, or when it came if that has none', async () => {
    const target = { type: 'user', id: 'untimed' };
    const value = { type: 'swap_done', target, data: {} };
    const before = Date.now();
    await publish([5_000, 0].map((timestamp) => ({ topic: 'notifications', timestamp, value })));
    const client = await connect('user:untimed', await tokenFor('untimed'));
    const [snapshot] = await client.received('snapshot');
    const [first, second] = eventsOf(snapshot).map(({ event }) => Number(event.timestamp));
    expect(first).toBe(5_000);
    expect(second).toBeGreaterThanOrEqual(before);
  });

  it('says no more of a bad value than fits a line', async () => {
    const value = { ...price('X', 1), symbol: 'x'.repeat(100_000) };
    const answer = await publishWithoutKafka('price.updates', [value]);
    expect(answer.rejected[0]?.message.length).toBeLessThan(300);
  });
});
