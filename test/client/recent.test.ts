import { expect, test } from 'vitest';
import { Recent } from '../../worker/client/react/recent.ts';

const info = (seq: number) => ({ room: 'price_updates', epoch: 1, seq, snapshot: false });
const seqsOf = (recent: Recent<unknown>, keep: number) => recent.events(keep).map(({ seq }) => seq);

test('the newest events are kept, and no more than are wanted at present', () => {
  const recent = new Recent<unknown>();
  for (let seq = 1; seq <= 10_000; seq++) recent.add({}, info(seq), 3);
  expect(seqsOf(recent, 3)).toEqual([9_998, 9_999, 10_000]);
  expect(seqsOf(recent, 2)).toEqual([9_999, 10_000]);
  expect(seqsOf(recent, 3)).toEqual([9_999, 10_000]);
  expect(seqsOf(recent, 0)).toEqual([]);
});

test('each symbol has its latest event, however many events there were since', () => {
  const recent = new Recent<{ readonly symbol?: string; readonly price: number }>();
  recent.add({ symbol: 'QUIET', price: 1 }, info(1), 1);
  for (let seq = 2; seq < 50; seq++) recent.add({ symbol: 'LOUD', price: seq }, info(seq), 1);
  recent.add({ price: 0 }, info(50), 1);
  const prices = [...recent.bySymbol()].map(([symbol, { price }]) => [symbol, price]);
  expect(prices).toEqual([
    ['QUIET', 1],
    ['LOUD', 49],
  ]);
});

test('symbols are bounded, too: the one that came first goes', () => {
  const recent = new Recent<{ readonly symbol: string }>();
  for (let seq = 1; seq <= 5_002; seq++) recent.add({ symbol: `S${seq}` }, info(seq), 1);
  const symbols = [...recent.bySymbol().keys()];
  expect([symbols.length, symbols.at(0), symbols.at(-1)]).toEqual([5_000, 'S3', 'S5002']);
});

test('what was shown before does not change, and nothing is left after a gap', () => {
  const recent = new Recent<{ readonly symbol: string }>();
  recent.add({ symbol: 'A' }, info(1), 5);
  const before = [recent.events(5), recent.bySymbol()] as const;
  recent.clear();
  recent.add({ symbol: 'B' }, info(2), 5);
  expect(before[0]).toMatchObject([{ seq: 1 }]);
  expect([...before[1].keys()]).toEqual(['A']);
  expect(seqsOf(recent, 5)).toEqual([2]);
  expect([...recent.bySymbol().keys()]).toEqual(['B']);
});
