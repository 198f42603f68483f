import { describe, expect, test } from 'vitest';
import { DeadLetters } from '../../bridge/delivery/dead-letter.ts';
import { StopController } from '../../bridge/delivery/stop.ts';
import type { AppendedMessage, KafkaRecord } from '../../bridge/kafka/record.ts';
import { PARTITION, record } from './records.ts';

const failure = (type: string) =>
  new Error('wrapped', { cause: Object.assign(new Error(), { type }) });
const refusal = (of: KafkaRecord) => ({ record: of, code: 'data_invalid', message: 'price' });

/** Buries `records` in a topic that `refuse` guards, and tells what went in and what it waited for. */
async function bury(
  records: KafkaRecord[],
  refuse: (letters: AppendedMessage[], attempt: number) => Error | undefined,
) {
  const letters: AppendedMessage[] = [];
  const waiting: (string | undefined)[] = [];
  let attempts = 0;
  const deadLetters = new DeadLetters({
    source: 'cluster',
    group: 'group',
    random: () => 0,
    pause: async () => undefined,
    observer: { deadLettered: () => undefined, waiting: (_, reason) => waiting.push(reason) },
    append: async (_, batch) => {
      const error = refuse(batch, ++attempts);
      if (error !== undefined) throw error;
      letters.push(...batch);
    },
  });
  const done = await deadLetters.bury(PARTITION, records.map(refusal), new StopController());
  return { done, letters, waiting, attempts };
}

describe('a dead letter', () => {
  test('keeps key, value and headers, and names reason and origin', async () => {
    const original = { ...record(42), key: Buffer.from('k'), headers: { trace: Buffer.from('t') } };
    const { letters } = await bury([original], () => undefined);
    expect(letters).toEqual([
      {
        key: original.key,
        value: original.value,
        headers: {
          trace: original.headers.trace,
          'dlq.code': 'data_invalid',
          'dlq.message': 'price',
          'dlq.source': 'cluster',
          'dlq.group': 'group',
          'dlq.topic': 'price.updates',
          'dlq.partition': '3',
          'dlq.offset': '42',
          'dlq.timestamp': '1703123456789',
        },
      },
    ]);
  });

  test('is tried again for as long as it takes, and the reason is reported', async () => {
    const { done, waiting } = await bury([record(1)], (_, attempt) =>
      attempt < 40 ? failure('NOT_ENOUGH_REPLICAS') : undefined,
    );
    expect(done).toBe(true);
    expect(waiting.at(0)).toBe('dead_letter: NOT_ENOUGH_REPLICAS');
    expect(waiting.at(-1)).toBeUndefined();
  });

  test('that is refused for its size is cut short, alone, and says so', async () => {
    const large = record(2, Buffer.alloc(200_000, 'x'));
    const { letters } = await bury([record(1), large, record(3)], (batch) =>
      batch.some(({ value }) => (value?.length ?? 0) > 100_000)
        ? failure('MESSAGE_TOO_LARGE')
        : undefined,
    );
    expect(letters.map(({ headers }) => headers['dlq.truncated-from'])).toEqual([
      undefined,
      '200000',
      undefined,
    ]);
    expect(letters[1]?.value).toHaveLength(64 * 1024);
  });

  test('whose key and headers are what is too large goes without them', async () => {
    const heavy = { ...record(1), key: Buffer.alloc(1000), headers: { big: Buffer.alloc(1000) } };
    const { letters } = await bury([heavy], ([letter]) =>
      letter?.key || letter?.headers.big ? failure('MESSAGE_TOO_LARGE') : undefined,
    );
    expect(letters[0]).toMatchObject({ key: null, headers: { 'dlq.truncated-from': '7' } });
    expect(letters[0]?.headers.big).toBeUndefined();
  });
});
