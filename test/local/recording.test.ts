import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type RecordingItem, readRecording } from '../../bridge/local/tools/recording.ts';

async function read(...chunks: (string | Buffer)[]): Promise<RecordingItem[]> {
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const items: RecordingItem[] = [];
  for await (const item of readRecording(input)) items.push(item);
  return items;
}

const values = (items: RecordingItem[]) =>
  items.map((item) => (item.kind === 'record' ? item.record.value : item.reason));

test.each([
  ['a trailing zero', '{"data":{"price":45000.50}}'],
  ['twenty digits', '{"data":{"id":12345678901234567890}}'],
  ['escapes', '{"data":{"text":"\\u0041\\u00e9 \\ud83d\\ude80 \\/ "}}'],
  ['characters beyond ASCII', '{"data":{"text":"é 🚀"}}'],
  ['line ends that are none in JSON', '{"data":{"text":"a\u2028b\u2029c"}}'],
  ['white space', '{ "data" : { "a" :\t1 } }'],
  ['keys twice and in no order', '{"z":1,"a":2,"z":3}'],
  ['what looks like the member', '{"event":{"event":"}"}}'],
])('an event keeps its bytes: %s', async (_, event) => {
  const items = await read(`{"at":0, "topic":"t", "event": ${event} , "more":[1]}\n`);
  expect(values(items)).toEqual([event]);
});

test('a character cut in two by a chunk is put together', async () => {
  const line = Buffer.from('{"topic":"t","event":{"a":"é"}}\n');
  const cut = line.indexOf(0xc3) + 1;
  const items = await read(line.subarray(0, cut), line.subarray(cut));
  expect(values(items)).toEqual(['{"a":"é"}']);
});

test('an array of items is read as its lines would be', async () => {
  const items = await read('[\n {"topic":"a","event":{"price":1.50}},\n {"topic":"b","event":{}}]');
  expect(items.map(({ where }) => where)).toEqual(['item 1', 'item 2']);
  expect(values(items)).toEqual(['{"price":1.50}', '{}']);
});

test('a record is keyed by its symbol, else its user, else "system"', async () => {
  const items = await read(
    '{"topic":"t","event":{"symbol":"BTC-USDC","userId":"u"}}\n',
    '{"topic":"t","event":{"symbol":"","userId":"u"}}\n',
    '{"topic":"t","event":{"symbol":7}}\n',
  );
  const keys = items.map((item) => item.kind === 'record' && item.record.key);
  expect(keys).toEqual(['BTC-USDC', 'u', 'system']);
});

test('bad lines are named by number and reason, and the good ones between them are read', async () => {
  const items = await read(
    '{"topic":"t","event":{}}\n\nnope\n{"topic":"t"}\n',
    Buffer.concat([
      Buffer.from('{"topic":"t","event":{"a":"'),
      Buffer.from([0xff]),
      Buffer.from('"}}\n'),
    ]),
    '{"topic":"","event":{}}\n{"topic":"t","event":[]}\n{"topic":"t","event":{},"at":"x"}\n',
    '{"topic":"t","event":{}}',
  );
  expect(items.map(({ kind, where }) => `${kind} ${where}`)).toEqual([
    'record line 1',
    'bad line 3',
    'bad line 4',
    'bad line 5',
    'bad line 6',
    'bad line 7',
    'bad line 8',
    'record line 9',
  ]);
  expect(items[3]).toMatchObject({ reason: 'not UTF-8' });
});
