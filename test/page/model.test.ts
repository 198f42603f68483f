import { describe, expect, it } from 'vitest';
import { Account, MOST_NOTIFICATIONS } from '../../worker/page/model/account.ts';
import { Alerts } from '../../worker/page/model/alerts.ts';
import { Book } from '../../worker/page/model/book.ts';
import { Candles } from '../../worker/page/model/candles.ts';
import { Overtaken } from '../../worker/page/model/overtaken.ts';
import { MOST_PAIRS, Pairs } from '../../worker/page/model/pairs.ts';
import { Quote } from '../../worker/page/model/quote.ts';
import { MOST_TRADES, Tape } from '../../worker/page/model/tape.ts';

const price = (symbol: string, price: number | string, volume = 1) => ({
  type: 'price_update' as const,
  symbol,
  timestamp: 0,
  data: { price, volume },
});
const trade = (timestamp: number, price: number) => ({
  type: 'trade_notification' as const,
  symbol: 'X',
  timestamp,
  data: { tradeId: String(timestamp), price, amount: 1, side: 'buy' as const },
});

describe('the pairs', () => {
  it('are the most traded, and keep their rows once all rows are taken', () => {
    const pairs = new Pairs();
    for (let n = 0; n < MOST_PAIRS; n++) pairs.update(price(`P${n}`, 1, n));
    expect(pairs.rows[0]?.symbol).toBe(`P${MOST_PAIRS - 1}`);
    pairs.update(price('LATE', 1, 1_000));
    expect(pairs.rows.some(({ symbol }) => symbol === 'LATE')).toBe(false);
    expect(pairs.leftOut).toBe(1);
  });

  it('know where a price last moved to, and the most digits that it had', () => {
    const pairs = new Pairs();
    for (const value of ['1.25', '1.3', '1.3']) pairs.update(price('X', value));
    expect(pairs.rows).toMatchObject([{ direction: 1, moves: 1, digits: 2 }]);
    pairs.update(price('X', 1));
    expect(pairs.rows).toMatchObject([{ direction: -1, moves: 2, digits: 2 }]);
  });
});

describe('the quote', () => {
  it('forgets the pair that was chosen before', () => {
    const quote = new Quote('X');
    quote.update(price('X', 2));
    quote.update(price('X', 1));
    expect(quote.direction).toBe(-1);
    quote.choose('Y');
    expect([quote.symbol, quote.data, quote.direction, quote.digits]).toEqual([
      'Y',
      undefined,
      0,
      0,
    ]);
  });
});

describe('the book', () => {
  it('sums its sizes and knows its spread', () => {
    const book = new Book();
    expect(book.spread).toBeUndefined();
    const bids: [string, string][] = [
      ['99', '1'],
      ['98', '2'],
    ];
    const asks: [number, number][] = [[101, 3]];
    const data = { bids, asks };
    book.update({ type: 'order_book_update', symbol: 'X', timestamp: 0, data });
    expect(book.bids.map(({ total }) => total)).toEqual([1, 3]);
    expect(book.spread).toEqual({ amount: 2, share: 0.02 });
    book.update({ type: 'order_book_update', symbol: 'X', timestamp: 0, data: { bids, asks: [] } });
    expect(book.spread).toBeUndefined();
  });
});

describe('what is overtaken', () => {
  it('is what came twice before it was drawn', () => {
    const overtaken = new Overtaken();
    for (const what of ['book', 'quote', 'book', 'book']) overtaken.came(what);
    expect(overtaken.count).toBe(2);
    overtaken.drawn();
    overtaken.came('book');
    expect(overtaken.count).toBe(2);
  });
});

describe('the tape', () => {
  it('keeps the newest trades and counts all of them', () => {
    const tape = new Tape();
    for (let seq = 1; seq <= 100; seq++) tape.add(trade(seq, seq), seq);
    expect(tape.trades).toHaveLength(MOST_TRADES);
    expect(tape.trades[0]?.seq).toBe(100);
    expect(tape.count).toBe(100);
  });
});

describe('the candles', () => {
  const trades = [
    [1_000, 10],
    [4_999, 14],
    [5_000, 9],
    [7_000, 11],
    [7_000, 8],
  ] as const;
  const expected = [
    { time: 0, open: 10, high: 14, low: 10, close: 14 },
    { time: 5, open: 9, high: 11, low: 8, close: 8 },
  ];

  it('are the same in whatever order the trades come', () => {
    for (const order of [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [3, 4, 0, 2, 1],
    ]) {
      const candles = new Candles();
      for (const index of order) {
        const [timestamp, value] = trades[index] ?? [0, 0];
        candles.add(trade(timestamp, value), index + 1);
      }
      expect(candles.all).toMatchObject(expected);
    }
  });

  it('tell whether anything but the newest one has changed', () => {
    const candles = new Candles();
    candles.add(trade(10_000, 1), 5);
    candles.add(trade(16_000, 1), 6);
    expect([candles.rebuilds, candles.newest?.time]).toEqual([0, 15]);
    candles.add(trade(1_000, 1), 1);
    expect([candles.rebuilds, candles.newest?.time]).toEqual([1, 15]);
  });

  it('are bounded, and lose the oldest first', () => {
    const candles = new Candles();
    for (let n = 0; n < 2_000; n++) candles.add(trade(n * 5_000, n), n);
    expect(candles.all).toHaveLength(500);
    expect(candles.all[0]?.time).toBe(7_500);
    candles.clear();
    expect([candles.all, candles.newest]).toEqual([[], undefined]);
  });
});

describe('the alerts', () => {
  const alert = (alertId: string, expiresAt?: number) => ({
    type: 'system_alert' as const,
    timestamp: 0,
    data: { alertId, level: 'info' as const, title: alertId, message: '', expiresAt },
  });

  it('are shown once each, the newest first, until they expire or are dismissed', () => {
    const alerts = new Alerts();
    for (const one of [alert('A', 100), alert('B', 200), alert('A', 100), alert('OLD', 1)]) {
      alerts.add(one, 50);
    }
    expect(alerts.all.map(({ data }) => data.alertId)).toEqual(['B', 'A']);
    alerts.expire(100);
    expect(alerts.all.map(({ data }) => data.alertId)).toEqual(['B']);
    for (const shown of alerts.all) alerts.dismiss(shown);
    expect(alerts.all).toEqual([]);
  });

  it('can be waited for, whether they have come or not', async () => {
    const alerts = new Alerts();
    const waiting = alerts.arrival('A');
    alerts.add(alert('A'), 0);
    await waiting;
    await alerts.arrival('A');
  });
});

describe('the account', () => {
  it('keeps the last portfolio and the newest notifications', () => {
    const account = new Account();
    expect(account.isAbsent).toBe(false);
    account.open('user-1');
    const data = { totalValue: '1.00' };
    account.add({ type: 'portfolio_update', userId: 'user-1', timestamp: 0, data }, 1);
    for (let seq = 2; seq < 50; seq++) account.add(trade(seq, 1), seq);
    expect(account.portfolio).toEqual(data);
    expect(account.notifications).toHaveLength(MOST_NOTIFICATIONS);
    expect(account.notifications[0]?.seq).toBe(49);
    expect(account.count).toBe(48);
  });

  it('is absent where nobody is signed in', () => {
    const account = new Account();
    account.open(undefined);
    expect([account.isAbsent, account.user]).toEqual([true, undefined]);
  });
});
