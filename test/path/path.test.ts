/** The whole path on real parts: Kafka, the bridge, the Worker in workerd, bare WebSockets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { demoToken } from '../../bridge/local/demo-token.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
} from '../../worker/protocol/environment/development.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { kafka, produce, read } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { type Codec, produceWithJava } from './console-producer.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { expectedByRoom, type Line, record } from './recording.ts';
import { Subscriber } from './subscriber.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ KAFKA_SESSION_TIMEOUT_MS: '3000' });
}, 120_000);

afterAll(async () => {
  await gateway.stop();
});

async function join(room: string, token?: string): Promise<Subscriber> {
  const subscriber = await Subscriber.join(gateway.url, room, token);
  onTestFinished(() => subscriber.close());
  return subscriber;
}

async function produceLines(lines: readonly Line[]): Promise<void> {
  for (const [topic, own] of Map.groupBy(lines, ({ topic }) => topic)) {
    await produce(
      topic,
      own.map(({ key, value }) => ({ key, value })),
      gateway.brokers,
    );
  }
}

/** Trades numbered from `from` on, of one symbol; `text` of each tells its number. */
const trades = (symbol: string, from: number, count: number): Line[] =>
  Array.from({ length: count }, (_, index) => ({
    topic: 'trade.notifications',
    key: symbol,
    value: `{"type":"trade_notification","symbol":"${symbol}","data":{"tradeId":"${from + index}","price":1.0,"amount":1,"side":"buy"},"timestamp":1}`,
  }));

const tradeIds = (texts: readonly string[]) =>
  texts.map((text) => Number(JSON.parse(text).data.tradeId));
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a recording by an independent producer', () => {
  test.each<Codec>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'with compression %s reaches every room complete, in order, once, byte for byte',
    async (codec) => {
      const lines = record(codec, 40);
      const expected = expectedByRoom(lines);
      const rooms = await Promise.all([...expected.keys()].map((room) => join(room)));
      const all = await join('price_updates');

      await produceWithJava(gateway.brokers, lines, codec);

      for (const [index, [room, texts]] of [...expected].entries()) {
        const subscriber = rooms[index];
        await until(`all of ${room}`, () => (subscriber?.texts.length ?? 0) >= texts.length);
        expect(subscriber?.texts).toEqual(texts);
        expect(subscriber?.faults).toEqual([]);
      }
      const prices = [...expected].filter(([room]) => room.startsWith('price:'));
      await until('all prices', () => all.texts.length >= prices.flatMap(([, t]) => t).length);
      for (const [room, texts] of prices) {
        const symbol = `"symbol":"${room.slice('price:'.length)}"`;
        expect(all.texts.filter((text) => text.includes(symbol))).toEqual(texts);
      }
    },
  );
});

describe('when a part is killed', () => {
  test('with -9 at random moments, the bridge goes on: complete, in order, none twice', async () => {
    const tape = await join('trade:KILLED');
    let produced = 0;
    for (let round = 0; round < 4; round++) {
      for (let batch = 0; batch < 20; batch++) {
        await produceLines(trades('KILLED', produced, 25));
        produced += 25;
        if (batch !== 10) continue;
        process.kill(gateway.pidOf('bridge'), 'SIGKILL');
      }
      await until('the bridge is back', async () => (await fetch(`${gateway.bridgeUrl}/ready`)).ok);
    }
    await until('all trades', () => tape.texts.length >= produced);
    expect(tradeIds(tape.texts)).toEqual(numbers(produced));
    expect(tape.faults).toEqual([]);
  });

  test('a second bridge joins and is killed: complete, in order, none twice', async () => {
    const symbols = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => `TWO-${name}`);
    const tapes = await Promise.all(symbols.map((symbol) => join(`trade:${symbol}`)));
    let produced = 0;
    const produceSome = async () => {
      await produceLines(symbols.flatMap((symbol) => trades(symbol, produced, 10)));
      produced += 10;
    };
    const second = spawn(process.execPath, ['bridge/main.ts'], {
      env: {
        ...process.env,
        KAFKA_BROKERS: gateway.brokers.join(),
        KAFKA_SESSION_TIMEOUT_MS: '3000',
        WEBSOCKET_GATEWAY_URL: gateway.url.replace('ws:', 'http:'),
        INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
        BRIDGE_PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void second.kill('SIGKILL'));
    let log = '';
    second.stdout.on('data', (text: Buffer) => {
      log += text.toString();
    });
    // The first has all partitions; the second's joining takes some from it, while records flow.
    while (!log.includes('partitions assigned')) await produceSome();
    for (let i = 0; i < 20; i++) await produceSome();
    second.kill('SIGKILL');
    await once(second, 'exit');
    for (let i = 0; i < 20; i++) await produceSome();
    for (const tape of tapes) {
      await until('all trades', () => tape.texts.length >= produced);
      expect(tradeIds(tape.texts)).toEqual(numbers(produced));
      expect(tape.faults).toEqual([]);
    }
  });

  test('with -9, workerd comes back: durable rooms complete, in-memory ones in a greater epoch', async () => {
    const price = (value: number): Line => ({
      topic: 'price.updates',
      key: 'CRASHED',
      value: `{"type":"price_update","symbol":"CRASHED","data":{"price":${value}},"timestamp":1}`,
    });
    const tape = await join('trade:CRASHED');
    const prices = await join('price:CRASHED');
    // A room without any event has no epoch on disk, so a kill before the first one says nothing.
    await produceLines([...trades('CRASHED', 0, 10), price(0)]);
    let produced = 10;
    await until('the first trades', () => tape.texts.length >= produced);
    await until('the first price', () => prices.received.length > 0);
    for (let round = 0; round < 3; round++) {
      for (let batch = 0; batch < 10; batch++) {
        await produceLines([...trades('CRASHED', produced, 10), price(produced)]);
        produced += 10;
        if (batch === 5) process.kill(gateway.pidOf('workerd'), 'SIGKILL');
      }
      await until('the tape has come back', () => tape.epochs.length === round + 2);
      await until('all trades so far', () => tape.texts.length >= produced);
      // An epoch into which nothing was written would go on after the next kill.
      await until('the prices have come back', () => prices.epochs.length === round + 2);
      await until('the newest price', () =>
        [...prices.received, ...prices.snapshot].some(
          ({ text }) => text === price(produced - 10).value,
        ),
      );
    }
    expect(tradeIds(tape.texts)).toEqual(numbers(produced));
    expect(tape.faults).toEqual([]);
    expect(tape.gaps).toEqual([]);
    expect(new Set(tape.epochs).size).toBe(1);

    expect(prices.epochs).toEqual([...new Set(prices.epochs)].sort((a, b) => a - b));
    expect(prices.gaps.length).toBe(3);
    expect(prices.faults).toEqual([]);
  });
});

test('a topic that is deleted and made anew goes on', async () => {
  const tape = await join('trade:ANEW');
  await produceLines(trades('ANEW', 0, 50));
  await until('the first trades', () => tape.texts.length === 50);
  const admin = kafka(gateway.brokers).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  await admin.deleteTopics({ topics: ['trade.notifications'] });
  await until(
    'the topic is gone',
    async () => !(await admin.listTopics()).includes('trade.notifications'),
  );
  await admin
    .createTopics({
      topics: [{ topic: 'trade.notifications', numPartitions: 3 }],
      waitForLeaders: false,
    })
    .catch(() => false);
  await until(
    'it is there again',
    async () => (await admin.fetchTopicOffsets('trade.notifications')).length > 0,
  );
  await produceLines(trades('ANEW', 50, 10));
  await until('the new trades', () => tape.texts.length >= 60, 50_000);
  expect(tradeIds(tape.texts)).toEqual(numbers(60));
  expect(tape.faults).toEqual([]);
});

describe('a bad record', () => {
  const good = (id: string): Line => ({
    topic: 'price.updates',
    key: 'BAD',
    value: `{"type":"price_update","symbol":"BAD","data":{"price":1,"id":"${id}"},"timestamp":1}`,
  });
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const cases: [string, string | Buffer, string][] = [
    ['not JSON', 'price: 1', 'not_json'],
    [
      'that smuggles another',
      `${good('x').value}},{"topic":"system.alerts","value":{}`,
      'not_json',
    ],
    ['empty', '', 'not_json'],
    ['not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'not_utf8'],
    ['of the wrong type', good('x').value.replace('price_update', 'system_alert'), 'type_invalid'],
    ['without a symbol', good('x').value.replace('"symbol":"BAD",', ''), 'symbol_invalid'],
    ['of 2 MB', good('x'.repeat(2_000_000)).value, 'too_large'],
    ['of 300 KB', good('x'.repeat(300_000)).value, 'event_too_large'],
    ['nested deeply', good('x').value.replace('"id":"x"', `"id":${deep}`), 'event_too_deep'],
    ['with prototype keys', good('x').value.replace('"id"', '"__proto__"'), 'forbidden_key'],
    ['with a key twice', good('x').value.replace('"id"', '"price"'), 'duplicate_key'],
  ];
  test('ends among the dead letters with its reason, the next good one arrives, offsets move on', async () => {
    const prices = await join('price:BAD');
    const dead = await read('price.updates.dlq', gateway.brokers);
    for (const [name, value] of cases) {
      await produce(
        'price.updates',
        [
          { key: 'BAD', value },
          { key: 'BAD', value: good(name).value },
        ],
        gateway.brokers,
      );
    }
    await until('the good ones', () => prices.texts.length >= cases.length);
    expect(prices.texts).toEqual(cases.map(([name]) => good(name).value));
    // Once each: a bridge that is rebuilt before its commit buries a record a second time.
    const letters = () => [
      ...new Map(
        dead
          .filter(({ key }) => key === 'BAD')
          .map((letter) => [String(letter.headers['dlq.offset']), letter]),
      ).values(),
    ];
    await until('the dead letters', () => letters().length >= cases.length);
    for (const [index, [, value, code]] of cases.entries()) {
      const letter = letters()[index];
      expect(Object.values(letter?.headers ?? {})).toContain(code);
      expect(letter?.value.equals(Buffer.from(value))).toBe(true);
    }
    await until('no lag', async () => {
      const text = await (await fetch(`${gateway.bridgeUrl}/metrics`)).text();
      const lags = [...text.matchAll(/^\w*lag\w*\{.*\} (\d+)$/gm)].map(([, lag]) => Number(lag));
      return lags.length > 0 && lags.every((lag) => lag === 0);
    });
  });

  test('that brings its own seq is delivered, numbered by the room', async () => {
    const prices = await join('price:SEQ');
    const value = good('seq').value.replaceAll('BAD', 'SEQ').replace('{', '{"seq":99,');
    await produce('price.updates', [{ key: 'SEQ', value }], gateway.brokers);
    await until('it', () => prices.received.length === 1);
    expect(prices.received[0]?.seq).toBe(1);
    expect(prices.texts[0]).not.toContain('99');
  });
});

test('a personal trade, a portfolio and an alert reach their user, and nobody else sees more', async () => {
  const token = await demoToken(DEVELOPMENT_JWT_SECRET);
  const user = await join('user:user-123', token);
  const tape = await join('trade:OWN');
  const system = await join('system');
  const values: Line[] = [
    {
      topic: 'trade.notifications',
      key: 'OWN',
      value:
        '{"type":"trade_notification","symbol":"OWN","userId":"user-123","data":{"tradeId":"t","price":1,"amount":1,"side":"buy","txHash":"0xabc","fees":{"gas":"0.1"}},"timestamp":1}',
    },
    {
      topic: 'system.alerts',
      key: 'system',
      value:
        '{"type":"system_alert","userId":"user-123","data":{"level":"info","title":"t","message":"secret"},"timestamp":1}',
    },
    {
      topic: 'system.alerts',
      key: 'system',
      value:
        '{"type":"system_alert","data":{"level":"info","title":"t","message":"all"},"timestamp":1}',
    },
  ];
  await produceLines(values);
  await until('both to the user', () => user.texts.length === 2);
  await until('the trade', () => tape.texts.length === 1);
  await until('the alert', () => system.texts.length === 1);
  expect(user.texts.toSorted()).toEqual([values[0]?.value, values[1]?.value].toSorted());
  for (const secret of ['userId', 'user-123', 'txHash', '0xabc', 'fees']) {
    expect(tape.texts.join()).not.toContain(secret);
  }
  expect(system.texts).toEqual([values[2]?.value]);
});

test('R15: a trace has the time at which each part of the way had an event', async () => {
  const since = Date.now();
  const socket = new WebSocket(`${gateway.url}/v1/rooms/trade:TRACED?system=off&trace=on`);
  onTestFinished(() => socket.close());
  const frames: RoomFrame[] = [];
  socket.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))));
  await until('the socket is subscribed', () => frames.some(({ type }) => type === 'snapshot'));
  await produceLines(trades('TRACED', 0, 3));
  const given = () => frames.flatMap((frame) => (frame.type === 'events' ? frame.events : []));
  await until('it has all events', () => given().length === 3);
  const times = given().flatMap(({ times }) => times ?? []);
  expect(times).toHaveLength(12);
  for (const time of times) {
    expect(time).toBeGreaterThanOrEqual(since);
    expect(time).toBeLessThanOrEqual(Date.now());
  }
});
