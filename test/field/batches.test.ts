/** Record batches as a log may hold them: over the bounds, broken, of unknown kinds; and what is read. */
import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync as compressSnappy } from 'snappy';
import { describe, expect, test } from 'vitest';
import {
  MAX_DECOMPRESSED_BYTES,
  registerCodecs,
} from '../../bridge/kafka/kafkajs/codecs/codecs.ts';
import { passedBy } from '../../bridge/kafka/kafkajs/passed.ts';
import { patchKafkajs } from '../../bridge/kafka/kafkajs/patch.ts';

const MIB = 1024 * 1024;
const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

interface Shape {
  codec?: number;
  count?: number;
  payload: Buffer;
}

registerCodecs();
patchKafkajs();
const require = createRequire(import.meta.url);
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const Decoder = require('kafkajs/src/protocol/decoder');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');

interface Read {
  readonly offset: string;
  readonly value: Buffer;
  readonly headers: Record<string, unknown>;
  readonly unreadable?: { readonly code: string; readonly message: string };
}

/** A batch at the offsets 10 to 19, whatever is in it. */
function batch({ codec = 0, count = 1, payload }: Shape, first = 10n): Buffer {
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(first, 0);
  head.writeInt32BE(head.length - 12 + payload.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(codec, 21);
  head.writeInt32BE(9, 23);
  head.writeInt32BE(count, 57);
  return Buffer.concat([head, payload]);
}

function record(value: string | Buffer, offsetDelta = 0): Buffer {
  return encodeRecord({ offsetDelta, timestampDelta: 0, key: null, value, headers: {} }).buffer;
}

async function read(...batches: Buffer[]): Promise<Read[]> {
  const bytes = Buffer.concat(batches);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return decodeMessages(new Decoder(Buffer.concat([size, bytes])));
}

/** As snappy-java frames it. */
function xerial(...blocks: Buffer[]): Buffer {
  const head = Buffer.from('82534e41505059000000000100000001', 'hex');
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([head, ...framed]);
}

const PACK: Record<string, { codec: number; pack: (bytes: Buffer) => Buffer }> = {
  gzip: { codec: GZIP, pack: (bytes) => gzipSync(bytes) },
  'snappy in one block': { codec: SNAPPY, pack: (bytes) => compressSnappy(bytes) },
  'snappy as Java frames it': {
    codec: SNAPPY,
    pack: (bytes) => {
      const blocks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += 32_768) {
        blocks.push(compressSnappy(bytes.subarray(at, at + 32_768)));
      }
      return xerial(...blocks);
    },
  },
  lz4: { codec: LZ4, pack: (bytes) => compressFrameSync(bytes) },
  zstd: { codec: ZSTD, pack: (bytes) => zstdCompressSync(bytes) },
};

describe.each(Object.entries(PACK))('a batch in %s', (_, { codec, pack }) => {
  test('is read', async () => {
    const payload = Buffer.concat([record('"first"', 3), record('"second"', 9)]);
    const records = await read(batch({ codec, count: 2, payload: pack(payload) }));
    expect(records.map(({ offset, value }) => `${offset} ${value}`)).toEqual([
      '13 "first"',
      '19 "second"',
    ]);
  });

  test('of the largest size is read, and of one byte more is refused', async () => {
    const around = record(Buffer.alloc(MAX_DECOMPRESSED_BYTES - 100)).length;
    const fits = 2 * MAX_DECOMPRESSED_BYTES - 100 - around;
    const whole = record(Buffer.alloc(fits));
    expect(whole.length).toBe(MAX_DECOMPRESSED_BYTES);
    const [largest] = await read(batch({ codec, payload: pack(whole) }));
    expect([largest?.unreadable, largest?.value.length]).toEqual([undefined, fits]);
    const [larger] = await read(batch({ codec, payload: pack(record(Buffer.alloc(fits + 1))) }));
    expect(larger?.unreadable?.code).toBe('batch_too_large');
  });

  test('that is cut short or is garbage becomes one record that says so', async () => {
    const packed = pack(Buffer.concat(Array.from({ length: 100 }, () => record('"value"'))));
    for (const payload of [
      packed.subarray(0, packed.length - 5),
      packed.subarray(0, packed.length / 2),
      packed.subarray(0, 3),
      Buffer.alloc(0),
      Buffer.from('no compression at all, only text'),
    ]) {
      const [only, ...others] = await read(batch({ codec, count: 100, payload }));
      expect(only).toMatchObject({ offset: '19', unreadable: { code: 'batch_unreadable' } });
      expect(only?.value.equals(payload)).toBe(true);
      expect(others).toEqual([]);
    }
  });
});

const good = record('{}');
const BROKEN: [string, Shape, string][] = [
  ['of 8 GiB in 1 MiB of zstd', { codec: ZSTD, payload: zstdBomb() }, 'batch_too_large'],
  ['of 3 GiB by the word of snappy', { codec: SNAPPY, payload: declare(3072) }, 'batch_too_large'],
  ['of 1 MiB by the word of snappy', { codec: SNAPPY, payload: declare(1) }, 'batch_unreadable'],
  ['of too many records', { count: 500_001, payload: good }, 'batch_too_large'],
  ['of fewer records than it says', { count: 2, payload: good }, 'batch_unreadable'],
  ['of more records than it says', { payload: Buffer.concat([good, good]) }, 'batch_unreadable'],
  ['of no records, though it has some', { count: 0, payload: good }, 'batch_unreadable'],
  ['of a negative number of records', { count: -1, payload: good }, 'batch_unreadable'],
  ['in a compression of the future', { codec: 5, payload: good }, 'batch_unreadable'],
  ['of a record without a length', { payload: Buffer.from([0xff]) }, 'batch_unreadable'],
];

describe('a batch that cannot be read', () => {
  test.each(BROKEN)(
    '%s is one dead letter, and those around it are read',
    async (_, shape, code) => {
      const records = await read(
        batch({ payload: good }, 0n),
        batch(shape),
        batch({ payload: good }, 20n),
      );
      expect(records.map(({ offset, unreadable }) => [offset, unreadable?.code])).toEqual([
        ['0', undefined],
        ['19', code],
        ['20', undefined],
      ]);
      expect(records[1]?.unreadable?.message).toContain('the offsets 10 to 19');
      expect(passedBy(records)).toBe(29n);
    },
  );

  test('has no records when compaction has emptied it, whatever its compression was', async () => {
    const records = await read(batch({ codec: LZ4, count: 0, payload: Buffer.alloc(0) }));
    expect(records).toEqual([]);
    expect(passedBy(records)).toBe(19n);
  });
});

/** A record with the key and value null and these headers, each name and value after its length. */
function withHeaders(count: number, headers: string): Buffer {
  const fields = [Buffer.from([0, 0, 0, 1, 1, 2 * count]), Buffer.from(headers, 'latin1')];
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([2 * body.length]), body]);
}

describe('the headers of a record', () => {
  test.each(['constructor', '__proto__', 'toString', 'trace'])('may be named %s', async (name) => {
    const header = `${String.fromCharCode(2 * name.length)}${name}\x02a`;
    const [once] = await read(batch({ payload: withHeaders(1, header) }));
    expect(Object.entries(once?.headers ?? {})).toEqual([[name, Buffer.from('a')]]);
    const [twice] = await read(batch({ payload: withHeaders(2, header + header) }));
    expect(Object.entries(twice?.headers ?? {})).toEqual([
      [name, [Buffer.from('a'), Buffer.from('a')]],
    ]);
  });

  test('have an empty value where they have none', async () => {
    const [only] = await read(batch({ payload: withHeaders(1, '\x02a\x01') }));
    expect(Object.entries(only?.headers ?? {})).toEqual([['a', Buffer.alloc(0)]]);
  });

  test('are not believed to be more than there are bytes', async () => {
    const [only] = await read(batch({ payload: withHeaders(30, '\x02a\x02b') }));
    expect(only?.unreadable?.code).toBe('batch_unreadable');
  });
});

test('what is over the bound of a fetch is left for the next', async () => {
  const payload = zstdCompressSync(record(Buffer.alloc(40 * MIB)));
  const large = [0n, 10n, 20n].map((first) => batch({ codec: ZSTD, payload }, first));
  const records = await read(...large);
  expect(records.map(({ offset }) => offset)).toEqual(['0', '10']);
  expect(passedBy(records)).toBe(19n);
});

/** Frames of zeros, one after another. */
function zstdBomb(): Buffer {
  const frame = zstdCompressSync(Buffer.alloc(8 * MIB));
  return Buffer.concat(Array.from({ length: 1024 }, () => frame));
}

/** A snappy block that says how much it unpacks to, and has nothing of it. */
function declare(mebibytes: number): Buffer {
  const bytes: number[] = [];
  let size = mebibytes * MIB;
  for (; size >= 0x80; size = Math.floor(size / 0x80)) bytes.push((size % 0x80) + 0x80);
  return Buffer.from([...bytes, size]);
}
