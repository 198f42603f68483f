/** What is sliced out of a body must be what was validated, whatever the body looks like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatch } from '../../worker/protocol/batch/read-batch.ts';

const read = (text: string) => readBatch(new TextEncoder().encode(text));
const E = '{"type":"price_update","symbol":"A","data":{"price":1},"timestamp":1}';
const RECORD = `{"topic":"price.updates","value":${E}}`;

describe('I4: a body whose text could be read in two ways is refused', () => {
  it.each([
    [
      'a second list under another key',
      `{"records":[{"value":${E}},0],"pq }]}":1,"records":[${RECORD}]}`,
    ],
    ['a list after an object', `{"records":{"value":1},"records":[${RECORD}]}`],
    ['a list twice', `{"records":[${RECORD}],"records":[${RECORD}]}`],
    ['a list whose key has an escape', `{"records":[${RECORD}],"\\u0072ecords":[${RECORD}]}`],
    ['a value twice', `{"records":[{"topic":"price.updates","value":1,"value":${E}}]}`],
    ['a topic twice', `{"records":[{"topic":"a","topic":"price.updates","value":${E}}]}`],
    [
      'a source twice',
      `{"source":"a","source":"b","records":[{"topic":"t","partition":0,"offset":0,"timestamp":0,"value":1}]}`,
    ],
  ])('%s', (_what, text) => {
    expect(read(text)).toMatchObject({ kind: 'refused', code: 'batch_malformed' });
  });
});

describe('each text that is sliced', () => {
  /** JSON text whose objects may have any key, also twice, and also with escapes. */
  const json = fc.letrec<{ value: string; field: string }>((tie) => {
    const key = fc.oneof(
      fc.constantFrom('"records"', '"value"', '"topic"', '"source"', '"\\u0076alue"', '"pq }]}"'),
      fc.string({ maxLength: 4 }).map((text) => JSON.stringify(text)),
    );
    const space = fc.constantFrom('', ' ', '\n');
    return {
      field: fc.tuple(key, space, tie('value')).map(([k, s, v]) => `${k}${s}:${s}${v}`),
      value: fc.oneof(
        { maxDepth: 5, depthIdentifier: 'json' },
        fc.constantFrom('1', '-0.50', '1e5', 'null', 'true', '"a\\"}]"', '"\\\\"', RECORD),
        fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'json' }).map((v) => `[${v}]`),
        fc.array(tie('field'), { maxLength: 4, depthIdentifier: 'json' }).map((v) => `{${v}}`),
      ),
    };
  }).value;
  const record = fc
    .tuple(json, fc.array(json, { maxLength: 1 }), fc.boolean())
    .map(([value, more, first]) => {
      const others = more.map((other) => `"other":${other}`);
      const fields = ['"topic":"price.updates"', ...others];
      const own = `"value":${value}`;
      return `{${(first ? [own, ...fields] : [...fields, own]).join()}}`;
    });
  const body = fc.oneof(
    json,
    fc.array(record, { minLength: 1, maxLength: 3 }).map((records) => `{"records":[${records}]}`),
    fc.tuple(json, record).map(([other, one]) => `{"a":${other},"records":[${one}],"b":${other}}`),
    fc.tuple(json, record).map(([other, one]) => `{"records":${other},"records":[${one}]}`),
  );

  it('parses to exactly the value that was validated', () => {
    let accepted = 0;
    fc.assert(
      fc.property(body, (text) => {
        const reading = read(text);
        if (reading.kind === 'refused') return;
        accepted++;
        const validated = reading.batch.records.map(({ value }) => value);
        expect(reading.values.map((json) => JSON.parse(json.text))).toEqual(validated);
      }),
      { numRuns: 5_000 },
    );
    // The generator must reach what it is there for.
    expect(accepted).toBeGreaterThan(500);
  });
});
