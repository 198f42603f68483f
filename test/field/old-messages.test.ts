/** Messages of the formats of before 2017, as an old log may hold them; and what is read. */
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { compressSync as compressSnappy } from 'snappy';
import { describe, expect, test } from 'vitest';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import { registerCodecs } from '../../bridge/kafka/kafkajs/codecs/codecs.ts';
import { passedBy } from '../../bridge/kafka/kafkajs/passed.ts';
import { patchKafkajs } from '../../bridge/kafka/kafkajs/patch.ts';
import type { KafkaRecord } from '../../bridge/kafka/record.ts';

registerCodecs();
patchKafkajs();
const require = createRequire(import.meta.url);
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const Decoder = require('kafkajs/src/protocol/decoder');

const GZIP = 1;
const SNAPPY = 2;
const BROKER_TIME = 0x08;

interface Shape {
  magic: 0 | 1;
  offset: number;
  attributes?: number;
  timestamp?: number;
  key?: string | null;
  value: string | Buffer | null;
}

function message({ magic, offset, attributes = 0, timestamp = 7, key = 'k', value }: Shape) {
  const sized = (bytes: string | Buffer | null) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes === null ? -1 : Buffer.byteLength(bytes));
    return Buffer.concat([length, Buffer.from(bytes ?? '')]);
  };
  const head = Buffer.alloc(magic === 0 ? 18 : 26);
  const body = Buffer.concat([sized(key), sized(value)]);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(head.length - 12 + body.length, 8);
  head.writeInt8(magic, 16);
  head.writeInt8(attributes, 17);
  if (magic === 1) head.writeBigInt64BE(BigInt(timestamp), 18);
  return Buffer.concat([head, body]);
}

async function read(...messages: Buffer[]): Promise<KafkaRecord[]> {
  const bytes = Buffer.concat(messages);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return decodeMessages(new Decoder(Buffer.concat([size, bytes])));
}

const shown = (records: readonly KafkaRecord[]) =>
  records.map(({ offset, timestamp, value }) => `${offset} ${timestamp} ${value}`);

describe.each([0, 1] as const)('messages of format %i', (magic) => {
  const time = magic === 0 ? -1 : 7;

  test('are read, and delivered', async () => {
    const records = await read(
      message({ magic, offset: 3, value: '{"a":1}' }),
      message({ magic, offset: 5, key: null, value: '{"a":2}' }),
      message({ magic, offset: 9, value: null }),
    );
    expect(shown(records)).toEqual([`3 ${time} {"a":1}`, `5 ${time} {"a":2}`, `9 ${time} null`]);
    expect(passedBy(records)).toBe(9n);
    const cut = new Batcher('cluster').cut({ topic: 'price.updates', partition: 0 }, records);
    expect(cut).toMatchObject({ taken: 3, tombstones: 1, refused: [] });
    expect(JSON.parse(String(cut.body?.bytes)).records).toMatchObject([
      { offset: 3, timestamp: Math.max(0, time), key: 'k', value: { a: 1 } },
      { offset: 5, timestamp: Math.max(0, time), value: { a: 2 } },
    ]);
  });

  test.each([
    [GZIP, gzipSync],
    [SNAPPY, compressSnappy],
  ] as const)('that are compressed (%i) have their own offsets', async (codec, pack) => {
    // Compaction has removed one in the middle. Format 1 counts from 0.
    const inner = [0, 1, 3].map((index) =>
      message({ magic, offset: magic === 0 ? 40 + index : index, value: `"${index}"` }),
    );
    const value = pack(Buffer.concat(inner));
    const records = await read(message({ magic, offset: 43, attributes: codec, value }));
    expect(shown(records)).toEqual([`40 ${time} "0"`, `41 ${time} "1"`, `43 ${time} "3"`]);
    expect(passedBy(records)).toBe(43n);
  });

  test('that cannot be read are one dead letter each', async () => {
    const broken: Shape[] = [
      { magic, offset: 1, attributes: GZIP, value: 'no gzip' },
      { magic, offset: 2, attributes: GZIP, value: null },
      { magic, offset: 3, attributes: GZIP, value: gzipSync('') },
      { magic, offset: 4, attributes: GZIP, value: gzipSync('too short for a message') },
      { magic, offset: 5, attributes: 7, value: 'a compression of the future' },
    ];
    const records = await read(...broken.map(message), message({ magic, offset: 6, value: '1' }));
    expect(records.map(({ offset, unreadable }) => `${offset} ${unreadable?.code}`)).toEqual([
      ...[1, 2, 3, 4, 5].map((offset) => `${offset} batch_unreadable`),
      '6 undefined',
    ]);
  });

  test('that unpack to more than the bound are one dead letter', async () => {
    const value = gzipSync(Buffer.alloc(65 * 1024 * 1024));
    const [only, ...others] = await read(message({ magic, offset: 1, attributes: GZIP, value }));
    expect(only?.unreadable?.code).toBe('batch_too_large');
    expect(others).toEqual([]);
  });

  test('are fetched again when the last of them is cut short', async () => {
    const whole = message({ magic, offset: 1, value: '1' });
    const records = await read(whole, whole.subarray(0, whole.length - 1));
    expect(shown(records)).toEqual([`1 ${time} 1`]);
  });

  test('of more than fit into one call are read', async () => {
    const inner = Array.from({ length: 200_000 }, (_, offset) =>
      message({ magic, offset, value: '1' }),
    );
    const value = gzipSync(Buffer.concat(inner));
    const records = await read(message({ magic, offset: 199_999, attributes: GZIP, value }));
    expect(records).toHaveLength(200_000);
  });
});

test('the time of a broker is that of the wrapper', async () => {
  const value = gzipSync(message({ magic: 1, offset: 0, value: '1', timestamp: 5 }));
  const attributes = GZIP + BROKER_TIME;
  const records = await read(message({ magic: 1, offset: 8, attributes, timestamp: 99, value }));
  expect(shown(records)).toEqual(['8 99 1']);
});
