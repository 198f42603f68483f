import type { ProducerBatch } from 'kafkajs';
import { expect, test } from 'vitest';
import type { RecordingItem } from '../../bridge/local/tools/recording.ts';
import { produceRecording } from '../../bridge/local/tools/recording-producer.ts';

/** A Kafka that keeps what it is sent, and the clock time at which it came. */
class FakeKafka {
  time = 1000;
  readonly requests: { readonly time: number; readonly values: string[] }[] = [];
  readonly topics = new Set<string>();
  readonly bad: string[] = [];
  readonly unknown: string[] = [];
  readonly #maxBytes: number;

  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  sendBatch = async ({ topicMessages = [] }: ProducerBatch) => {
    const values = topicMessages.flatMap(({ messages }) =>
      messages.map(({ value }) => String(value)),
    );
    if (values.some((value) => value.length > this.#maxBytes)) {
      throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });
    }
    for (const { topic } of topicMessages) this.topics.add(topic);
    this.requests.push({ time: this.time, values });
    return [];
  };

  produce(items: RecordingItem[], speed = 1, topicPrefix = '') {
    return produceRecording(toAsync(items), {
      producer: this,
      topicPrefix,
      speed,
      onBad: (where, reason) => this.bad.push(`${where}: ${reason}`),
      onUnknownTopic: (topic) => this.unknown.push(topic),
      now: () => this.time,
      wait: async (ms) => {
        this.time += ms;
      },
    });
  }
}

async function* toAsync(items: RecordingItem[]): AsyncGenerator<RecordingItem> {
  yield* items;
}

let line = 0;
const record = (value: string, at?: number): RecordingItem => ({
  kind: 'record',
  where: `line ${++line}`,
  record: { topic: 't', key: 'k', value, at },
});

test('records go out when their time has come, counted from the first, in their order', async () => {
  const kafka = new FakeKafka();
  await kafka.produce([record('a', 500), record('b', 500), record('c', 700), record('d', 1500)]);
  expect(kafka.requests).toEqual([
    { time: 1000, values: ['a', 'b'] },
    { time: 1200, values: ['c'] },
    { time: 2000, values: ['d'] },
  ]);
});

test('a greater speed shortens the waits, and at an infinite speed nothing waits', async () => {
  const twice = new FakeKafka();
  await twice.produce([record('a', 0), record('b', 1000)], 2);
  expect(twice.requests.at(-1)).toEqual({ time: 1500, values: ['b'] });

  const unpaced = new FakeKafka();
  await unpaced.produce([record('a', 0), record('b', 1e9)], Number.POSITIVE_INFINITY);
  expect(unpaced.requests).toEqual([{ time: 1000, values: ['a', 'b'] }]);
});

test('a prefix stands before the names of a recording’s topics', async () => {
  const kafka = new FakeKafka();
  await kafka.produce([record('a')], 1, 'prod.');
  expect([...kafka.topics]).toEqual(['prod.t']);
});

test('a topic that the gateway does not know is reported once, and written to all the same', async () => {
  const kafka = new FakeKafka();
  const alert: RecordingItem = {
    kind: 'record',
    where: 'line 1',
    record: { topic: 'system.alerts', key: 'k', value: 'a', at: undefined },
  };
  expect(await kafka.produce([record('a'), alert, record('b')])).toEqual({ produced: 3, bad: 0 });
  expect(kafka.unknown).toEqual(['t']);
});

test('a request holds at most 500 records and 256 KiB', async () => {
  const many = new FakeKafka();
  await many.produce(Array.from({ length: 1001 }, () => record('x')));
  expect(many.requests.map(({ values }) => values.length)).toEqual([500, 500, 1]);

  const wide = new FakeKafka();
  await wide.produce(Array.from({ length: 3 }, () => record('x'.repeat(200 * 1024))));
  expect(wide.requests.map(({ values }) => values.length)).toEqual([1, 1, 1]);
});

test('a record that Kafka finds too large is named, and the others arrive', async () => {
  const kafka = new FakeKafka(300 * 1024);
  const large = record('x'.repeat(400 * 1024));
  const result = await kafka.produce([record('a'), large, record('b')]);
  expect(result).toEqual({ produced: 2, bad: 1 });
  expect(kafka.bad).toEqual([`${large.where}: larger than Kafka takes`]);
  expect(kafka.requests.flatMap(({ values }) => values)).toEqual(['a', 'b']);
});

test('any other failure of Kafka ends it', async () => {
  const kafka = new FakeKafka();
  kafka.sendBatch = () => Promise.reject(new Error('gone'));
  await expect(kafka.produce([record('a')])).rejects.toThrow('gone');
});
