import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { patchKafkajs } from '../../bridge/kafka/kafkajs/patch.ts';

const require = createRequire(import.meta.url);
const decoderModule = 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages';

interface Decoded {
  readonly offset: string;
  readonly value: Buffer;
}

/** What a broker answers to a fetch of one partition: batches of `{}`, one after another. */
async function fetched(...counts: number[]): Promise<Buffer> {
  const Record = require('kafkajs/src/protocol/recordBatch/record/v0');
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
  let from = 0;
  const batches: Buffer[] = [];
  for (const count of counts) {
    const records = Array.from({ length: count }, (_, offsetDelta) =>
      Record({ offsetDelta, timestampDelta: 0, key: null, value: '{}', headers: {} }),
    );
    const { buffer } = await RecordBatch({
      compression: 0,
      records,
      firstOffset: from,
      lastOffsetDelta: count - 1,
      firstTimestamp: 0,
      maxTimestamp: 0,
    });
    batches.push(buffer);
    from += count;
  }
  const bytes = Buffer.concat(batches);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

const decode = (bytes: Buffer, using: (decoder: unknown) => Promise<Decoded[]>) => {
  const Decoder = require('kafkajs/src/protocol/decoder');
  return using(new Decoder(bytes));
};

describe('a record batch of more records than a call can have arguments', () => {
  // Loaded before the repair, so that it is kafkajs's own.
  const original = require(decoderModule);
  patchKafkajs();
  const repaired = require(decoderModule);

  test('overflows kafkajs, so the repair is still needed', async () => {
    const bytes = await fetched(150_000);
    await expect(decode(bytes, original)).rejects.toThrow(RangeError);
  });

  test('is read whole, and so are those before and after it', async () => {
    const records = await decode(await fetched(3, 150_000, 2), repaired);
    expect(records.length).toBe(150_005);
    expect(records.map(({ offset }) => Number(offset))).toEqual(
      Array.from({ length: 150_005 }, (_, offset) => offset),
    );
    expect(records.at(-1)?.value.toString()).toBe('{}');
  });

  test('is left for the next fetch when it was cut short', async () => {
    const bytes = await fetched(3, 1_000);
    const size = bytes.length - 100;
    const cut = Buffer.from(bytes.subarray(0, size));
    cut.writeInt32BE(size - 4);
    expect((await decode(cut, repaired)).length).toBe(3);
  });

  test.each([0, -1])('has no records when a partition answers %i bytes', async (size) => {
    const nothing = Buffer.alloc(4);
    nothing.writeInt32BE(size);
    expect(await decode(nothing, repaired)).toEqual([]);
  });
});
