import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import type { KafkaRecord } from '../../bridge/kafka/record.ts';
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  positionedBatchSchema,
} from '../../worker/protocol/batch/batch.ts';
import { offsetsOf, PARTITION, record, records } from './records.ts';

const NOW = 1_703_123_456_790;
const batcher = new Batcher('cluster-1', undefined, '', () => NOW);
const textOf = (queue: readonly KafkaRecord[]) =>
  batcher.cut(PARTITION, queue).body?.bytes.toString('utf8') ?? '';

describe('a body', () => {
  test('is the batch of the protocol, with its time and the position of each record', () => {
    const batch = v.parse(positionedBatchSchema, JSON.parse(textOf(records(2))));
    expect(batch).toEqual({
      source: 'cluster-1',
      sentAt: NOW,
      records: [0, 1].map((offset) => ({
        ...PARTITION,
        offset,
        timestamp: 1703123456789,
        value: { n: offset },
      })),
    });
  });

  test('carries each value byte for byte', () => {
    for (const value of [
      '{"price":45000.50,"id":12345678901234567890,"a":1,"a":2}',
      '{ "text" :\t"\\u00e9 é 😀 \\ud83d" }\n',
      '{"__proto__":{"seq":1}}',
      '-0.0e-0',
    ]) {
      expect(textOf([record(7, value)])).toBe(
        `{"source":"cluster-1","sentAt":1703123456790,"records":[{"topic":"price.updates","partition":3,"offset":7,"timestamp":1703123456789,"value":${value}}]}`,
      );
    }
  });

  test('has the key as escaped text, and leaves out a key that is not text or is too long', () => {
    const keyed = (key: Buffer): KafkaRecord => ({ ...record(1), key });
    const keyOf = (key: Buffer) => JSON.parse(textOf([keyed(key)])).records[0].key;
    expect(keyOf(Buffer.from('a","offset":9,"b":"'))).toBe('a","offset":9,"b":"');
    expect(keyOf(Buffer.from('ключ'))).toBe('ключ');
    expect(keyOf(Buffer.alloc(1024, 1))).toBe('\u0001'.repeat(1024));
    expect(keyOf(Buffer.from([0xff]))).toBeUndefined();
    expect(keyOf(Buffer.alloc(1025, 'a'))).toBeUndefined();
  });

  test('of a record without a timestamp says 0', () => {
    const [only] = JSON.parse(textOf([{ ...record(1), timestamp: '-1' }])).records;
    expect(only.timestamp).toBe(0);
  });

  test('ends at the most records a batch may have', () => {
    const { body, taken } = batcher.cut(PARTITION, records(MAX_BATCH_RECORDS + 1));
    expect(body?.records).toHaveLength(MAX_BATCH_RECORDS);
    expect(taken).toBe(MAX_BATCH_RECORDS);
  });

  test('is never larger than a batch may be, and no smaller than it could be', () => {
    const value = `"${'x'.repeat(100_000)}"`;
    const queue = Array.from({ length: 20 }, (_, offset) => record(offset, value));
    const { body, taken } = batcher.cut(PARTITION, queue);
    expect(body?.bytes.length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    expect(taken).toBe(10);
    const rest = batcher.cut(PARTITION, queue, taken);
    expect(offsetsOf(rest.body?.records ?? [])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('filled to the last byte is a batch, and one byte more is refused', () => {
    const around = textOf([record(0, '""')]).length - 2;
    const fitting = record(0, `"${'x'.repeat(MAX_BATCH_BYTES - around - 2)}"`);
    expect(batcher.cut(PARTITION, [fitting]).body?.bytes).toHaveLength(MAX_BATCH_BYTES);
    const larger = record(0, `"${'x'.repeat(MAX_BATCH_BYTES - around - 1)}"`);
    expect(batcher.cut(PARTITION, [larger])).toMatchObject({
      body: undefined,
      refused: [{ code: 'too_large' }],
      taken: 1,
    });
  });

  test('that is a part of another has a time of its own', () => {
    let now = NOW;
    const ticking = new Batcher('cluster', undefined, '', () => now++);
    const { body } = ticking.cut(PARTITION, records(2));
    const part = ticking.compose(PARTITION, body?.records.slice(1) ?? []);
    expect(String(body?.bytes)).toContain(`"sentAt":${NOW},`);
    expect(String(part.bytes)).toContain(`"sentAt":${NOW + 1},`);
  });

  test('is not touched by the bodies composed after it', () => {
    const first = batcher.cut(PARTITION, [record(1)]).body?.bytes;
    const before = first?.toString();
    batcher.cut(PARTITION, [record(2, '"other"')]);
    expect(first?.toString()).toBe(before);
  });
});

describe('a record without a value', () => {
  test('is a tombstone, which is counted and neither sent nor refused', () => {
    const queue = [record(0, null), record(1), record(2, null), record(3, '')];
    const { body, refused, tombstones, taken } = batcher.cut(PARTITION, queue);
    expect(offsetsOf(body?.records ?? [])).toEqual([1]);
    expect(refused.map((refusal) => refusal.record.offset)).toEqual(['3']);
    expect([tombstones, taken]).toEqual([2, 4]);
  });
});

describe('a record that stands for a batch which cannot be read', () => {
  test('is refused with the reason that it brings, whatever its bytes are', () => {
    const unreadable = { code: 'batch_too_large', message: 'it is' };
    const { body, refused } = batcher.cut(PARTITION, [{ ...record(9, '{}'), unreadable }]);
    expect(body).toBeUndefined();
    expect(refused).toMatchObject([{ record: { offset: '9' }, ...unreadable }]);
  });
});

describe('a value that cannot be embedded', () => {
  test.each([
    ['not_utf8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['not_utf8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['not_json', ''],
    ['not_json', 'plain text'],
    ['not_json', '{"a":1} {"b":2}'],
    ['not_json', '1},{"topic":"x","partition":0,"offset":99,"timestamp":1,"value":2'],
    ['not_json', '\ufeff{}'],
    ['not_json', '\u00a0{}'],
    ['not_json', '"a\u0001b"'],
    ['not_json', 'NaN'],
  ])('is refused with %s', (code, value) => {
    const { body, refused, taken } = batcher.cut(PARTITION, [record(0, value), record(1)]);
    expect(refused.map((refusal) => [refusal.record.offset, refusal.code])).toEqual([['0', code]]);
    expect(offsetsOf(body?.records ?? [])).toEqual([1]);
    expect(taken).toBe(2);
  });
});

describe('what a record says of itself', () => {
  const bodyOf = (batcher: Batcher, topic: string, timestamp: string) => {
    const { body } = batcher.cut({ topic, partition: 0 }, [{ ...record(1), timestamp }]);
    return JSON.parse(String(body?.bytes)).records[0];
  };

  test('has the plain name of a topic with a prefix', () => {
    const batcher = new Batcher('cluster', undefined, 'prod.');
    expect(bodyOf(batcher, 'prod.price.updates', '1').topic).toBe('price.updates');
  });

  test.each([
    ['-1', 0],
    ['1703123456789', 1_703_123_456_789],
    ['1703123456789000', 1_703_123_456_789],
    ['1703123456789000000', 1_703_123_456_789],
    ['9223372036854775807', 9_223_372_036_854],
  ])('has a time that the Worker takes, for %s', (timestamp, told) => {
    expect(bodyOf(new Batcher('cluster'), 'price.updates', timestamp).timestamp).toBe(told);
  });
});
