import { expect, test } from 'vitest';
import { Account } from '../../bridge/local/market/exchange/account.ts';
import { PAIRS } from '../../bridge/local/market/exchange/pairs.ts';

const pair = PAIRS[0] ?? expect.unreachable();
// BTC-USDC: a tick is a cent, a lot 0.0001; so a tick times a lot is a micro.
const buy = { tradeId: 1, pair, side: 'buy', ticks: 5_000_000, lots: 3, fees: 100 } as const;
const sell = { ...buy, tradeId: 2, side: 'sell' } as const;

test('nobody spends more than his cash, fees and all', () => {
  const account = new Account('user', 15_000_100, []);
  expect(account.affords([{ ...buy, fees: 101 }])).toBe(false);
  expect(account.affords([buy])).toBe(true);
  account.book(buy);
  expect(account.cash).toBe(0);
  expect(() => account.book(buy)).toThrow('cannot afford');
});

test('nobody sells what he does not hold, not even in parts', () => {
  const account = new Account('user', 1_000, [{ pair, lots: 5, cost: 10 }]);
  expect(account.affords([sell, sell])).toBe(false);
  expect(account.affords([sell, { ...sell, lots: 2 }])).toBe(true);
  // The fees of a first part are due before a second one pays.
  expect(account.affords([{ ...sell, ticks: 1, fees: 2_000 }, sell])).toBe(false);
});

test('a sale takes its share of the cost, rounded down to a micro, and the last one all of it', () => {
  const account = new Account('user', 0, [{ pair, lots: 3, cost: 100 }]);
  account.book({ ...sell, lots: 1 });
  expect([...account.positions]).toEqual([{ pair, lots: 2, cost: 67 }]);
  account.book({ ...sell, lots: 2, tradeId: 9 });
  expect([...account.positions]).toEqual([]);
  expect(account.cash).toBe(15_000_000 - 200);
  expect(account.lastTradeId).toBe(9);
});

test('a share of a cost beyond 2^53 in between is exact', () => {
  const account = new Account('user', 0, [{ pair, lots: 999_999_999, cost: 900_000_000_000_001 }]);
  account.book({ ...sell, lots: 333_333_333 });
  expect([...account.positions][0]?.cost).toBe(600_000_000_000_001);
});
