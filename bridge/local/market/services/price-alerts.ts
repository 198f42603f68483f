/**
 * The prices at which users want to be notified. Each user watches a few pairs; an alert that has been
 * triggered is followed by another one, so that their number stays.
 */
import { decimalText } from '../exchange/decimal.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Venue } from '../exchange/venue.ts';
import type { Random } from '../random.ts';

const ALERTS_PER_USER = 3;
/** How far from the price a target is set, in parts of it. */
const DISTANCE = { least: 0.001, most: 0.006 } as const;

export interface PriceAlert {
  readonly id: string;
  readonly userId: string;
  readonly symbol: string;
  readonly direction: 'above' | 'below';
  /** With all its digits. */
  readonly targetPrice: string;
}

export class PriceAlerts {
  readonly #exchange: Exchange;
  readonly #random: Random;
  readonly #alerts = new Map<string, PriceAlert>();
  readonly #idPrefix: string;
  #count = 0;

  /** @param idPrefix tells this feed's alerts from those of one before. */
  constructor(exchange: Exchange, random: Random, idPrefix: string) {
    this.#exchange = exchange;
    this.#random = random.fork('price alerts');
    this.#idPrefix = idPrefix;
    for (const { userId } of exchange.accounts) {
      for (let count = 0; count < ALERTS_PER_USER; count++) this.#set(userId, this.#anyVenue());
    }
  }

  /** The alerts of `symbol` whose target `price` has reached. */
  triggered(symbol: string, price: number): readonly PriceAlert[] {
    return [...this.#alerts.values()].filter(
      (alert) =>
        alert.symbol === symbol &&
        (alert.direction === 'above'
          ? price >= Number(alert.targetPrice)
          : price <= Number(alert.targetPrice)),
    );
  }

  /** An alert is sent once; its user then sets another. */
  markAsTriggered(id: string): void {
    const alert = this.#alerts.get(id);
    if (alert === undefined) return;
    this.#alerts.delete(id);
    this.#set(alert.userId, this.#anyVenue());
  }

  #set(userId: string, { pair, lastTicks }: Venue): void {
    const id = `${this.#idPrefix}-price-${++this.#count}`;
    const direction = this.#random.chance(0.5) ? 'above' : 'below';
    const distance = this.#random.between(DISTANCE.least, DISTANCE.most) * lastTicks;
    // At least a tick away: it would otherwise be reached as it is set.
    const away = Math.max(1, Math.round(distance));
    const ticks = Math.max(1, lastTicks + (direction === 'above' ? away : -away));
    const targetPrice = decimalText(ticks, pair.priceDigits);
    this.#alerts.set(id, { id, userId, symbol: pair.symbol, direction, targetPrice });
  }

  #anyVenue(): Venue {
    const { venues } = this.#exchange;
    const venue = venues[this.#random.integer(0, venues.length - 1)];
    if (venue === undefined) throw new Error('nothing is traded');
    return venue;
  }
}
