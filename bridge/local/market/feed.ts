/**
 * The living market, step by step: tokens change their worth, takers trade, users trade, makers
 * quote, and each change is published through the services that a backend would have. A book is
 * published whenever it has changed, after the trades that changed it and before the next ones: so
 * each trade is at a price of the book that was published before it.
 *
 * What happens depends on the seed alone. Only `lastUpdated` and `expiresAt` come from the clock. What
 * is published is queued by whoever gets it, so nothing here waits.
 */
import type { PriceLevel } from '../../../worker/protocol/events/event-shapes.ts';
import type { DEXEventService } from '../../publisher/dex-event-service.ts';
import type { PriceData } from '../../publisher/events.ts';
import { Crowd } from './crowd.ts';
import type { Level } from './exchange/book.ts';
import { money, percent } from './exchange/decimal.ts';
import { Exchange, type Order } from './exchange/exchange.ts';
import { amountOf, type Pair, priceOf } from './exchange/pairs.ts';
import type { Venue } from './exchange/venue.ts';
import { Random } from './random.ts';
import { Announcements } from './services/announcements.ts';
import { PriceAlerts } from './services/price-alerts.ts';
import { PriceService } from './services/price-service.ts';
import { TradingService } from './services/trading-service.ts';
import { Trader } from './trader.ts';
import { openAccounts } from './users.ts';

/** A step, in ms of market time. Shorter steps would not be seen; longer ones would bunch events. */
export const STEP_MS = 100;
/** How many events all pairs and users make, at the speed of the clock; market.test.ts measures it. */
export const EVENTS_PER_SECOND = 50;
/** How often the portfolio of a user is published who does not trade. */
const MARK_EVERY_MS = 5_000;
/** Trades are numbered by session: a feed makes fewer than this in each ms of its life. */
const TRADES_PER_MS = 1_000;

type EventService = Pick<DEXEventService, keyof DEXEventService>;

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

  /** `STEP_MS` of market time happen at once, and everything that has happened is published. */
  step(): void {
    if (this.#steps === 0) this.#open();
    else this.#advance();
    this.#steps++;
  }

  /** Publishes what there was before anything happened. */
  #open(): void {
    const { accounts, venues } = this.#exchange;
    for (const venue of venues) {
      venue.quote(STEP_MS);
      this.#publishPrice(venue);
      this.#publishBook(venue);
    }
    for (const { userId } of accounts) this.#trading.markToMarket(userId);
  }

  #advance(): void {
    const { venues } = this.#exchange;
    this.#exchange.advance(STEP_MS);
    for (const venue of venues) this.#execute(this.#crowd.order(venue, STEP_MS));
    for (const trader of this.#traders) this.#execute(trader.order(STEP_MS));
    for (const venue of venues) {
      venue.quote(STEP_MS);
      const { hasTraded, bookChanged } = venue.changes();
      if (hasTraded) this.#publishPrice(venue);
      if (bookChanged) this.#publishBook(venue);
    }
    this.#markInTurn();
    this.#announce();
  }

  #execute(order: Order | undefined): void {
    if (order !== undefined) this.#trading.executeTrade(order);
  }

  /** The users one after the other, evenly over the interval. */
  #markInTurn(): void {
    const steps = MARK_EVERY_MS / STEP_MS;
    const accounts = [...this.#exchange.accounts];
    for (const [index, { userId }] of accounts.entries()) {
      const turn = Math.floor((index * steps) / accounts.length);
      if (this.#steps % steps === turn) this.#trading.markToMarket(userId);
    }
  }

  #announce(): void {
    const announcement = this.#announcements.next(STEP_MS);
    if (announcement === undefined) return;
    const { lifetimeMs, ...data } = announcement;
    void this.#events.publishSystemAlert(
      { ...data, expiresAt: this.#now() + lifetimeMs },
      { priority: 'medium', source: 'admin-service' },
    );
  }

  #publishPrice(venue: Venue): void {
    this.#prices.updatePrice(venue.pair.symbol, priceData(venue));
  }

  #publishBook({ pair, book }: Venue): void {
    void this.#events.publishOrderBookUpdate(
      pair.symbol,
      {
        bids: rendered(pair, book.side('buy')),
        asks: rendered(pair, book.side('sell')),
        lastUpdated: this.#now(),
      },
      { priority: 'high', source: 'orderbook-service' },
    );
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
