/** A user who trades: now and then a market order, as large as the account can bear. */
import type { Account } from './exchange/account.ts';
import { opposite } from './exchange/book.ts';
import type { Exchange, Order } from './exchange/exchange.ts';
import { lotsFor, notional } from './exchange/pairs.ts';
import type { Venue } from './exchange/venue.ts';
import type { Random } from './random.ts';

const BETWEEN_ORDERS_MS = 15_000;
/** The part of everything that a user owns that one order is worth. */
const SHARE = { least: 0.002, most: 0.015 } as const;
/** A user with a smaller part in cash than `least` sells; one with a larger part than `most` buys. */
const CASH_SHARE = { least: 0.1, most: 0.5 } as const;
/** Smaller orders are not worth their gas, in micros. */
const MIN_ORDER = 20_000_000;
/** The part of the cash that one order may spend. */
const SPENDABLE = 0.95;
/** How often a user trades a pair that he does not own yet. */
const CURIOSITY = 0.3;

export class Trader {
  readonly #account: Account;
  readonly #exchange: Exchange;
  readonly #random: Random;

  constructor(account: Account, exchange: Exchange, random: Random) {
    this.#account = account;
    this.#exchange = exchange;
    this.#random = random.fork(`trader ${account.userId}`);
  }

  /** An order, if the user places one within `stepMs`. */
  order(stepMs: number): Order | undefined {
    if (!this.#random.chance(stepMs / BETWEEN_ORDERS_MS)) return undefined;
    const { pair, book } = this.#choose();
    const { symbol } = pair;
    const held = this.#account.held(symbol);
    const wealth = this.#wealth();
    const side = held === 0 || this.#isBuying(wealth) ? 'buy' : 'sell';
    const best = book.best(opposite(side));
    if (best === undefined) return undefined;
    const wanted = Math.max(MIN_ORDER, wealth * this.#random.between(SHARE.least, SHARE.most));
    // A little cash stays for fees, and for the levels behind the best.
    const micros = side === 'buy' ? Math.min(wanted, this.#account.cash * SPENDABLE) : wanted;
    const lots = Math.min(lotsFor(pair, best.ticks, micros), side === 'buy' ? Infinity : held);
    if (lots < 1) return undefined;
    return { symbol, side, lots, userId: this.#account.userId };
  }

  #choose(): Venue {
    const [first, ...others] = this.#account.positions;
    if (first !== undefined && !this.#random.chance(CURIOSITY)) {
      return this.#exchange.venue(this.#random.pick([first, ...others]).pair.symbol);
    }
    const { venues } = this.#exchange;
    const venue = venues[this.#random.integer(0, venues.length - 1)];
    if (venue === undefined) throw new Error('nothing is traded');
    return venue;
  }

  #isBuying(wealth: number): boolean {
    const share = this.#account.cash / wealth;
    if (share < CASH_SHARE.least) return false;
    return share > CASH_SHARE.most || this.#random.chance(0.5);
  }

  /** In micros. */
  #wealth(): number {
    let total = this.#account.cash;
    for (const { pair, lots } of this.#account.positions) {
      total += notional(pair, this.#exchange.venue(pair.symbol).lastTicks, lots);
    }
    return total;
  }
}
