/** The sample market in virtual time, watched from outside: by what is published, and nothing else. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PAIRS } from '../../bridge/local/market/exchange/pairs.ts';
import { EVENTS_PER_SECOND } from '../../bridge/local/market/feed.ts';
import { USER_COUNT } from '../../bridge/local/market/users.ts';
import { Auditor } from './auditor.ts';
import type { Published } from './market-recorder.ts';
import { runMarket } from './virtual-market.ts';

const HOUR_MS = 3_600_000;
/** Seven seconds of an idle core; the whole suite leaves it a part of one. */
const AUDIT_TIMEOUT_MS = 180_000;

describe.each([1, 2])('an hour of the market of seed %i', (seed) => {
  const auditor = new Auditor();

  test(
    'every event is admitted, every book, trade and portfolio is right to the last digit',
    async () => {
      // The auditor throws at the first that is not.
      await runMarket(seed, HOUR_MS, (published) => auditor.take(published));
      const total = [...auditor.counts.values()].reduce((sum, count) => sum + count, 0);
      const rate = total / (HOUR_MS / 1000);
      expect(rate).toBeGreaterThan(EVENTS_PER_SECOND * 0.8);
      expect(rate).toBeLessThan(EVENTS_PER_SECOND * 1.2);
    },
    AUDIT_TIMEOUT_MS,
  );

  test.each(PAIRS.map(({ symbol }) => symbol))('%s is alive and believable', (symbol) => {
    const prices = auditor.prices.get(symbol) ?? [];
    // A few prices a minute at the least, and not always the same one.
    expect(prices.length).toBeGreaterThan(600);
    expect(new Set(prices).size).toBeGreaterThan(20);
    const [first = Number.NaN] = prices;
    const steps = prices.slice(1).map((price, index) => Math.abs(price / (prices[index] ?? 0) - 1));
    expect(Math.max(...steps)).toBeLessThan(0.02);
    expect(Math.max(...prices) / first).toBeLessThan(1.25);
    expect(Math.min(...prices) / first).toBeGreaterThan(0.8);
  });

  test('everybody trades and hears of his prices, and announcements are few', () => {
    expect(auditor.ledgers.size).toBe(USER_COUNT);
    for (const [userId, { lastTradeId }] of auditor.ledgers) {
      expect(lastTradeId, userId).toBeDefined();
      expect(auditor.userAlerts.get(userId), userId).toBeGreaterThan(0);
    }
    expect(auditor.personalTrades).toBeGreaterThan(200);
    expect(auditor.announcements).toBeGreaterThan(20);
    expect(auditor.announcements).toBeLessThan(80);
  });
});

test('the same seed makes the same market, another one another', async () => {
  const fingerprint = async (seed: number) => {
    const hash = createHash('sha256');
    await runMarket(seed, 120_000, ({ topic, text }) => hash.update(`${topic} ${text}\n`));
    return hash.digest('hex');
  };
  expect(await fingerprint(7)).toBe(await fingerprint(7));
  expect(await fingerprint(7)).not.toBe(await fingerprint(8));
});

/** What an auditor says of a minute of the market in which one event, a late one, is changed. */
async function auditChanged(topic: string, from: RegExp, to: string): Promise<void> {
  const all: Published[] = [];
  await runMarket(1, 60_000, (published) => all.push(published));
  const at = all.findLastIndex(
    (published) => published.topic === topic && from.test(published.text),
  );
  const auditor = new Auditor();
  for (const published of all.slice(0, at)) auditor.take(published);
  const { text } = all[at] ?? expect.unreachable(`no event with ${from}`);
  auditor.take({ topic, text: text.replace(from, to) });
}

test.each([
  ['a crossed book', 'order.book.updates', /"asks":\[\[[^,]+/, '"asks":[["0.000000001"', 'crossed'],
  ['an empty level', 'order.book.updates', /\[("?[\d.]+"?),[\d.]+\]/, '[$1,0]', 'empty level'],
  ['an older trade', 'trade.notifications', /"tradeId":"\d/, '"tradeId":"0', 'trade after'],
  [
    'a trade beside the book',
    'trade.notifications',
    /"price":\d/,
    '"price":9',
    'not at the best price',
  ],
  ['another price than the last', 'price.updates', /"price":"?[\d.]+"?/, '"price":1', 'last trade'],
  ['a micro too much cash', 'portfolio.updates', /"cash":(\d+)\.\d+/, '"cash":$1.0000009', 'cash'],
  ['a wrong sum', 'portfolio.updates', /"totalValue":\d/, '"totalValue":9', 'not the sum'],
  ['another position', 'portfolio.updates', /"amount":\d/, '"amount":9', 'not his'],
  ['an alert to all', 'system.alerts', /"category":"\w+"/, '"category":"price_alert"', 'everybody'],
])('the auditor sees %s', async (_, topic, from, to, fault) => {
  await expect(auditChanged(topic, from, to)).rejects.toThrow(fault);
});
