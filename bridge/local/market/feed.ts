/**
 * The living market, step by step: tokens change their worth, takers trade, users trade, makers
 * quote, and each change is published through the services that a backend would have. A book is
 * published whenever it has changed, after the trades that changed it and before the next ones: so
 * each trade is at a price of the book that was published before it.
 *
 * What happens depends on the seed alone. Only `lastUpdated` and `expiresAt` are taken from the
 * clock.
 */
import type { OrderBookUpdate, PriceLevel } from '../../../worker/protocol/events.ts';
import { Announcements } from './announcements.ts';
import type { Level } from './book.ts';
import { Crowd } from './crowd.ts';
import { money, percent } from './decimal.ts';
import type { EventService } from './event-service.ts';
import { Exchange } from './exchange.ts';
import { amountOf, type Pair, priceOf } from './pairs.ts';
import { PriceAlerts } from './price-alerts.ts';
import { type PriceData, PriceService } from './price-service.ts';
import { Random } from './random.ts';
import { Trader } from './trader.ts';
import { TradingService } from './trading-service.ts';
import { openAccounts } from './users.ts';
import type { Venue } from './venue.ts';

/** Of market time. Shorter steps would not be seen; longer ones would bunch events. */
export const STEP_MS = 100;
/** What all pairs and users come to, at the speed of the clock; market.test.ts measures it. */
export const EVENTS_PER_SECOND = 50;
/** How often each user's portfolio is published when he does not trade. */
const MARK_EVERY_MS = 5_000;
/** Trades are numbered by session: a feed makes fewer than this in each ms of its life. */
const TRADES_PER_MS = 1_000;

export interface FeedOptions {
  readonly seed: number;
  readonly events: EventService;
  /** Unix ms. The session's ids grow from its start on, so that they are greater than any before. */
  readonly now?: () => number;
}

export class Feed {
  readonly #events: EventService;
  readonly #now: () => number;
  readonly #exchange: Exchange;
  readonly #crowd: Crowd;
  readonly #traders: readonly Trader[];
  readonly #announcements: Announcements;
  readonly #prices: PriceService;
  readonly #trading: TradingService;
  #steps = 0;

  constructor({ seed, events, now = Date.now }: FeedOptions) {
    const random = new Random(seed);
    const session = now();
    this.#events = events;
    this.#now = now;
    this.#exchange = new Exchange(random, session * TRADES_PER_MS);
    openAccounts(this.#exchange, random);
    this.#crowd = new Crowd(random);
    this.#traders = Array.from(
      this.#exchange.accounts,
      (account) => new Trader(account, this.#exchange, random),
    );
    this.#announcements = new Announcements(random, `alert-${session}`);
    const alerts = new PriceAlerts(this.#exchange, random, `alert-${session}`);
    this.#prices = new PriceService(events, alerts, now);
    this.#trading = new TradingService(events, this.#exchange, now);
  }

  async initialize(): Promise<void> {
    await Promise.all([this.#prices.initialize(), this.#trading.initialize()]);
  }

  /** `STEP_MS` of market time happen at once; resolves when Kafka has what there is to tell. */
  async step(): Promise<void> {
    const published = this.#steps === 0 ? this.#open() : this.#advance();
    this.#steps++;
    await Promise.all(published);
  }

  /** What there was before anything happened. */
  #open(): Promise<unknown>[] {
    const { accounts, venues } = this.#exchange;
    for (const venue of venues) venue.quote(STEP_MS);
    return [
      ...venues.map((venue) => this.#publishPrice(venue)),
      ...venues.map((venue) => this.#publishBook(venue)),
      ...Array.from(accounts, ({ userId }) => this.#trading.markToMarket(userId)),
    ];
  }

  #advance(): Promise<unknown>[] {
    const published: Promise<unknown>[] = [];
    this.#exchange.advance(STEP_MS);
    for (const venue of this.#exchange.venues) {
      const order = this.#crowd.order(venue, STEP_MS);
      if (order !== undefined) published.push(this.#trading.executeTrade(order));
    }
    for (const trader of this.#traders) {
      const order = trader.order(STEP_MS);
      if (order !== undefined) published.push(this.#trading.executeTrade(order));
    }
    for (const venue of this.#exchange.venues) {
      venue.quote(STEP_MS);
      const { hasTraded, bookChanged } = venue.changes();
      if (hasTraded) published.push(this.#publishPrice(venue));
      if (bookChanged) published.push(this.#publishBook(venue));
    }
    published.push(...this.#markInTurn(), ...this.#announce());
    return published;
  }

  /** The users one after the other, evenly over the interval. */
  #markInTurn(): Promise<void>[] {
    const steps = MARK_EVERY_MS / STEP_MS;
    const accounts = [...this.#exchange.accounts];
    const turns = accounts.map((_, index) => Math.floor((index * steps) / accounts.length));
    return accounts
      .filter((_, index) => this.#steps % steps === turns[index])
      .map(({ userId }) => this.#trading.markToMarket(userId));
  }

  #announce(): Promise<unknown>[] {
    const announcement = this.#announcements.next(STEP_MS);
    if (announcement === undefined) return [];
    const { lifetimeMs, ...data } = announcement;
    return [
      this.#events.publishSystemAlert(
        { ...data, expiresAt: this.#now() + lifetimeMs },
        { priority: 'medium', source: 'admin-service' },
      ),
    ];
  }

  #publishPrice(venue: Venue): Promise<void> {
    return this.#prices.updatePrice(venue.pair.symbol, priceData(venue));
  }

  #publishBook({ pair, book }: Venue): Promise<unknown> {
    const data: OrderBookUpdate['data'] = {
      bids: rendered(pair, book.side('buy')),
      asks: rendered(pair, book.side('sell')),
      lastUpdated: this.#now(),
    };
    const metadata = { priority: 'high', source: 'orderbook-service' } as const;
    return this.#events.publishOrderBookUpdate(pair.symbol, data, metadata);
  }
}

function priceData({ pair, lastTicks, day }: Venue): PriceData {
  const change = lastTicks - day.open;
  return {
    price: priceOf(pair, lastTicks),
    change: priceOf(pair, change),
    changePercent: percent(change, day.open),
    volume: money(day.volume),
    high24h: priceOf(pair, day.high),
    low24h: priceOf(pair, day.low),
  };
}

function rendered(pair: Pair, levels: readonly Level[]): PriceLevel[] {
  return levels.map(({ ticks, lots }) => [priceOf(pair, ticks), amountOf(pair, lots)]);
}
