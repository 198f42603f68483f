/**
 * All venues and accounts. What happens depends on the seed: the same orders at the same steps always
 * meet the same books.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../random.ts';
import type { Account, Booking } from './account.ts';
import type { Side } from './book.ts';
import { notional, PAIRS, type Pair } from './pairs.ts';
import { Venue } from './venue.ts';

/** Users pay 0.02 % of what they trade, rounded up to a micro. */
const PLATFORM_FEE_PER_10_000 = 2;
const GAS_USED = { least: 84_000, most: 176_000 } as const;
/** What a unit of gas costs, in micros: some tenths of a cent for a trade, as on a rollup. */
const GAS_PRICE = 0.03;
/** An order takes no more than this of a side of 20: the rest of it is dropped. */
const MAX_LEVELS_TAKEN = 5;

export interface Order {
  readonly symbol: string;
  readonly side: Side;
  readonly lots: number;
  /** Undefined for a taker without a name. */
  readonly userId?: string;
}

/** A part of an order, filled at one price. */
export interface Trade {
  readonly tradeId: number;
  readonly pair: Pair;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  /** The transaction of a user's trade, and what it cost; undefined for other trades. */
  readonly settlement: Settlement | undefined;
}

export interface Settlement {
  readonly txHash: string;
  readonly gasUsed: number;
  /** In micros. */
  readonly gasFee: number;
  readonly platformFee: number;
}

export class Exchange {
  readonly venues: readonly Venue[];
  readonly #bySymbol: ReadonlyMap<string, Venue>;
  readonly #accounts = new Map<string, Account>();
  /** Shocks of the whole market, and gas. */
  readonly #random: Random;
  #lastTradeId: number;

  /** @param firstTradeId trades are numbered from it on. */
  constructor(random: Random, firstTradeId: number) {
    this.#random = random.fork('exchange');
    this.#lastTradeId = firstTradeId - 1;
    this.venues = PAIRS.map((pair) => new Venue(pair, random.fork(`venue of ${pair.symbol}`)));
    this.#bySymbol = new Map(this.venues.map((venue) => [venue.pair.symbol, venue]));
  }

  venue(symbol: string): Venue {
    const venue = this.#bySymbol.get(symbol);
    if (venue === undefined) throw new Error(`${symbol} is not traded here`);
    return venue;
  }

  get accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  open(account: Account): void {
    this.#accounts.set(account.userId, account);
  }

  account(userId: string): Account {
    const account = this.#accounts.get(userId);
    if (account === undefined) throw new Error(`${userId} has no account`);
    return account;
  }

  /** What tokens are worth changes; the books do not, until somebody acts. */
  advance(stepMs: number): void {
    const shock = this.#random.normal();
    for (const { fair } of this.venues) fair.advance(stepMs, shock);
  }

  /** Fills an order at the book's prices, as far as it goes; not at all if its user cannot pay. */
  execute({ symbol, side, lots, userId }: Order): readonly Trade[] {
    const venue = this.venue(symbol);
    const fills = venue.book.match(side, lots, MAX_LEVELS_TAKEN);
    const account = userId === undefined ? undefined : this.account(userId);
    const trades = fills.map((fill, index): Trade => {
      const tradeId = this.#lastTradeId + 1 + index;
      const settlement =
        account && this.#settle(tradeId, notional(venue.pair, fill.ticks, fill.lots));
      return { tradeId, pair: venue.pair, side, ...fill, settlement };
    });
    const bookings = trades.map(bookingOf);
    if (trades.length === 0 || account?.affords(bookings) === false) return [];
    venue.trade(side, fills);
    for (const booking of bookings) account?.book(booking);
    this.#lastTradeId += trades.length;
    return trades;
  }

  #settle(tradeId: number, micros: number): Settlement {
    const gasUsed = this.#random.integer(GAS_USED.least, GAS_USED.most);
    return {
      txHash: `0x${createHash('sha256').update(`trade ${tradeId}`).digest('hex')}`,
      gasUsed,
      gasFee: Math.ceil(gasUsed * GAS_PRICE),
      platformFee: Math.ceil((micros * PLATFORM_FEE_PER_10_000) / 10_000),
    };
  }
}

function bookingOf({ tradeId, pair, side, ticks, lots, settlement }: Trade): Booking {
  const fees = settlement === undefined ? 0 : settlement.gasFee + settlement.platformFee;
  return { tradeId, pair, side, ticks, lots, fees };
}
