import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Book, DEPTH, type Side } from '../../bridge/local/market/exchange/book.ts';

const side = fc.constantFrom<Side>('buy', 'sell');
const action = fc.oneof(
  fc.record({
    kind: fc.constant('place'),
    side,
    ticks: fc.integer({ min: -1, max: 60 }),
    lots: fc.integer({ min: -1, max: 9 }),
  }),
  fc.record({
    kind: fc.constant('take'),
    side,
    ticks: fc.constant(0),
    lots: fc.integer({ min: 1, max: 40 }),
  }),
);

test('whatever is placed and taken, a book is sorted, bounded and never crossed', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const book = new Book();
      for (const { kind, side, ticks, lots } of actions) {
        if (kind === 'place') book.place(side, ticks, lots);
        else book.take(side, book.match(side, lots, 5));
        const [bids, asks] = [book.side('buy'), book.side('sell')];
        for (const levels of [bids, asks]) {
          expect(levels.length).toBeLessThanOrEqual(DEPTH);
          expect(levels.every((level) => level.lots > 0 && level.ticks > 0)).toBe(true);
        }
        const prices = [...bids.toReversed(), ...asks].map((level) => level.ticks);
        // Strictly ascending, from the worst bid to the worst ask: sorted and not crossed at once.
        expect(prices).toEqual([...new Set(prices)].toSorted((one, other) => one - other));
      }
    }),
    { numRuns: 300 },
  );
});

test('a taker gets the best prices first, and no more than is there', () => {
  const book = new Book();
  for (const [ticks, lots] of [
    [12, 5],
    [10, 2],
    [11, 3],
  ] as const)
    book.place('sell', ticks, lots);
  const fills = book.match('buy', 4, 5);
  expect(fills).toEqual([
    { ticks: 10, lots: 2 },
    { ticks: 11, lots: 2 },
  ]);
  book.take('buy', fills);
  expect(book.side('sell')).toEqual([
    { ticks: 11, lots: 1 },
    { ticks: 12, lots: 5 },
  ]);
  expect(book.match('buy', 100, 1)).toEqual([{ ticks: 11, lots: 1 }]);
  expect(() => book.take('buy', fills)).toThrow('the book has changed');
});
