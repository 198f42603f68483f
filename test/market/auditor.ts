/**
 * Watches a market from outside, by its events alone, and throws at the first that cannot be: a book
 * that is crossed, a trade at no price of the book, a portfolio that its trades do not add up to.
 */
import * as v from 'valibot';
import type { PriceLevel } from '../../worker/protocol/events/event-shapes.ts';
import {
  orderBookUpdateSchema,
  portfolioUpdateSchema,
  priceUpdateSchema,
  systemAlertSchema,
  tradeNotificationSchema,
} from '../../worker/protocol/events/events.ts';
import { exact, product, text } from './exact.ts';
import { type Published, received } from './market-recorder.ts';

const MAX_DEPTH = 20;
const MICRO_DIGITS = 6;

const portfolioSchema = v.object({
  cash: v.number(),
  openedAt: v.number(),
  lastTradeId: v.optional(v.string()),
  totalValue: v.number(),
  positions: v.array(
    v.object({
      symbol: v.string(),
      amount: v.number(),
      price: v.union([v.number(), v.string()]),
      value: v.number(),
      cost: v.number(),
      pnl: v.number(),
      pnlPercent: v.number(),
    }),
  ),
});

/** What an outsider knows of a user. */
interface Ledger {
  cash: bigint;
  readonly amounts: Map<string, bigint>;
  readonly costs: Map<string, bigint>;
  lastTradeId: string | undefined;
}

export class Auditor {
  readonly books = new Map<string, { bids: PriceLevel[]; asks: PriceLevel[] }>();
  readonly lastPrices = new Map<string, bigint>();
  /** Prices by symbol, as numbers: to judge by eye what the rules cannot. */
  readonly prices = new Map<string, number[]>();
  readonly ledgers = new Map<string, Ledger>();
  readonly counts = new Map<string, number>();
  /** The price event before the latest one, by symbol. */
  readonly #before = new Map<string, bigint>();
  readonly #latest = new Map<string, bigint>();
  /** How many price alerts each user got. */
  readonly userAlerts = new Map<string, number>();
  announcements = 0;
  personalTrades = 0;
  #lastTradeId = 0n;

  take(published: Published): void {
    const { event, rooms } = received(published);
    this.counts.set(published.topic, (this.counts.get(published.topic) ?? 0) + 1);
    switch (published.topic) {
      case 'order.book.updates':
        this.#book(v.parse(orderBookUpdateSchema, event));
        break;
      case 'trade.notifications':
        this.#trade(v.parse(tradeNotificationSchema, event));
        break;
      case 'price.updates':
        this.#price(v.parse(priceUpdateSchema, event));
        break;
      case 'portfolio.updates':
        this.#portfolio(v.parse(portfolioUpdateSchema, event));
        break;
      case 'system.alerts':
        this.#alert(v.parse(systemAlertSchema, event), rooms);
        break;
      default:
        throw new Error(`an event by ${published.topic}`);
    }
  }

  #book({ symbol, data }: v.InferOutput<typeof orderBookUpdateSchema>): void {
    // As numbers: of decimals so short, no two are one double.
    const [bids, asks] = [data.bids, data.asks].map((side) => {
      check(side.length > 0 && side.length <= MAX_DEPTH, `${side.length} levels`, data);
      return side.map(([price, size]) => {
        check(Number(price) > 0 && Number(size) > 0, 'an empty level', data);
        return Number(price);
      });
    });
    check(isAscending(bids?.toReversed() ?? []), 'bids are not sorted', data);
    check(isAscending(asks ?? []), 'asks are not sorted', data);
    check((bids?.[0] ?? Infinity) < (asks?.[0] ?? 0), 'crossed', data);
    this.books.set(symbol, data);
  }

  #trade({ symbol, userId, data }: v.InferOutput<typeof tradeNotificationSchema>): void {
    const id = BigInt(data.tradeId);
    check(id > this.#lastTradeId, `trade after ${this.#lastTradeId}`, data);
    this.#lastTradeId = id;
    const price = exact(data.price);
    const amount = exact(data.amount);
    const book = this.books.get(symbol);
    const levels = data.side === 'buy' ? book?.asks : book?.bids;
    const [best] = levels ?? [];
    check(best !== undefined && exact(best[0]) === price, 'not at the best price', data);
    const left = exact(best[1]) - amount;
    check(amount > 0n && left >= 0n, 'not as much as there is', data);
    if (left === 0n) levels?.shift();
    else levels?.splice(0, 1, [best[0], text(left)]);
    this.lastPrices.set(symbol, price);
    if (userId === undefined || userId === null) {
      check(data.txHash === undefined && data.fees === undefined, 'a private tape', data);
      return;
    }
    this.personalTrades++;
    this.#settle(symbol, userId, data, price, amount);
  }

  #settle(
    symbol: string,
    userId: string,
    data: v.InferOutput<typeof tradeNotificationSchema>['data'],
    price: bigint,
    amount: bigint,
  ): void {
    check(/^0x[0-9a-f]{64}$/.test(data.txHash ?? ''), 'no transaction', data);
    check(Number(data.gasUsed) > 0, 'no gas', data);
    const gas = exact(data.fees?.gas);
    const platform = exact(data.fees?.platform);
    check(gas > 0n && platform > 0n, 'no fees', data);
    const ledger = this.ledgers.get(userId);
    check(ledger !== undefined, `${userId} trades before he has a portfolio`, data);
    const cost = product(price, amount);
    const held = ledger.amounts.get(symbol) ?? 0n;
    const paid = ledger.costs.get(symbol) ?? 0n;
    if (data.side === 'buy') {
      ledger.cash -= cost;
      ledger.amounts.set(symbol, held + amount);
      ledger.costs.set(symbol, paid + cost);
    } else {
      check(amount <= held, 'sells what he does not hold', data);
      ledger.cash += cost;
      ledger.amounts.set(symbol, held - amount);
      ledger.costs.set(symbol, paid - floorToMicros((paid * amount) / held));
    }
    ledger.cash -= gas + platform;
    check(ledger.cash >= 0n, 'spends what he does not have', data);
    ledger.lastTradeId = data.tradeId;
  }

  #price({ symbol, data }: v.InferOutput<typeof priceUpdateSchema>): void {
    const price = exact(data.price);
    const last = this.lastPrices.get(symbol);
    check(last === undefined || last === price, 'not the last trade', data);
    this.lastPrices.set(symbol, price);
    check(price > 0n && Number(data.volume) > 0, 'no price or no volume', data);
    check(exact(data.high24h) >= price && price >= exact(data.low24h), 'outside its day', data);
    const open = price - exact(data.change);
    check(open > 0n && open <= exact(data.high24h) && open >= exact(data.low24h), 'open', data);
    const percent = Math.round(
      (Number(data.change) / (Number(data.price) - Number(data.change))) * 1e4,
    );
    check(Math.abs(percent - Number(data.changePercent) * 100) < 1.5, 'percent', data);
    this.#before.set(symbol, this.#latest.get(symbol) ?? price);
    this.#latest.set(symbol, price);
    const prices = this.prices.get(symbol) ?? [];
    this.prices.set(symbol, prices);
    prices.push(Number(data.price));
  }

  #portfolio({ userId, data }: v.InferOutput<typeof portfolioUpdateSchema>): void {
    const { cash, positions, totalValue, lastTradeId } = v.parse(portfolioSchema, data);
    const ledger = this.ledgers.get(userId) ?? opening(cash, positions);
    this.ledgers.set(userId, ledger);
    check(exact(cash) === ledger.cash, `not his cash of ${ledger.cash}`, data);
    check(lastTradeId === ledger.lastTradeId, `not up to ${ledger.lastTradeId}`, data);
    const held = [...ledger.amounts].filter(([, amount]) => amount > 0n);
    check(positions.length === held.length, 'not his positions', data);
    let total = exact(cash);
    for (const { symbol, amount, price, value, cost, pnl, pnlPercent } of positions) {
      check(exact(amount) === ledger.amounts.get(symbol), `not his ${symbol}`, data);
      check(exact(cost) === ledger.costs.get(symbol), `not what he paid for ${symbol}`, data);
      check(exact(price) === this.lastPrices.get(symbol), `not the price of ${symbol}`, data);
      check(exact(value) === product(exact(amount), exact(price)), `value of ${symbol}`, data);
      check(exact(pnl) === exact(value) - exact(cost), `pnl of ${symbol}`, data);
      check(Math.abs(pnlPercent - (pnl / cost) * 100) < 0.0051, `percent of ${symbol}`, data);
      total += exact(value);
    }
    check(exact(totalValue) === total, `not the sum ${total}`, data);
  }

  #alert(
    { userId, data, timestamp }: v.InferOutput<typeof systemAlertSchema>,
    rooms: readonly string[],
  ): void {
    if (userId === undefined || userId === null) {
      check(rooms.join() === 'system', `in ${rooms}`, data);
      check((data.expiresAt ?? 0) > timestamp, 'has expired', data);
      check(data.category !== 'price_alert', 'a price alert to everybody', data);
      this.announcements++;
      return;
    }
    check(rooms.join() === `user:${userId}`, `in ${rooms}`, data);
    const [, symbol = '', target] = /^(\S+) has .* \$([\d.]+)$/.exec(data.message) ?? [];
    check(this.ledgers.has(userId) && target !== undefined, 'no price alert', data);
    const reached = isCrossed(exact(target), this.#before.get(symbol), this.#latest.get(symbol));
    check(reached, `not crossed by ${this.#latest.get(symbol)}`, data);
    this.userAlerts.set(userId, (this.userAlerts.get(userId) ?? 0) + 1);
  }
}

function opening(
  cash: number,
  positions: v.InferOutput<typeof portfolioSchema>['positions'],
): Ledger {
  return {
    cash: exact(cash),
    amounts: new Map(positions.map(({ symbol, amount }) => [symbol, exact(amount)])),
    costs: new Map(positions.map(({ symbol, cost }) => [symbol, exact(cost)])),
    lastTradeId: undefined,
  };
}

function floorToMicros(value: bigint): bigint {
  const micro = exact(`0.${'1'.padStart(MICRO_DIGITS, '0')}`);
  return value - (value % micro);
}

/** Whether a price that went from `before` to `after` has reached `target` only now. */
function isCrossed(target: bigint, before = 0n, after = 0n): boolean {
  return before < after ? before < target && target <= after : after <= target && target < before;
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || (values[index - 1] ?? value) < value);
}

function check(holds: boolean, fault: string, data: unknown): asserts holds {
  if (!holds) throw new Error(`${fault}: ${JSON.stringify(data)}`);
}
