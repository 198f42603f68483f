/** What the platform announces to everybody, now and then. */
import { PAIRS } from '../exchange/pairs.ts';
import type { Random } from '../random.ts';

const MINUTE_MS = 60_000;
/** The first one comes soon, because whoever has just started the stack wants to see one. */
const FIRST_AFTER_MS = 5_000;
const EVERY_MS = 90_000;

export interface Announcement {
  readonly alertId: string;
  readonly level: 'info' | 'warning';
  readonly title: string;
  readonly message: string;
  readonly category: string;
  readonly actionUrl?: string;
  readonly actionText?: string;
  readonly lifetimeMs: number;
}

type Text = Omit<Announcement, 'alertId'>;

const KINDS: readonly [(random: Random) => Text, ...((random: Random) => Text)[]] = [
  (random) => {
    const symbol = anySymbol(random);
    const token = symbol.split('-')[0] ?? symbol;
    return {
      level: 'info',
      title: 'New Token Listed',
      message: `${token} token is now available for trading on MoonX Farm`,
      category: 'new_listing',
      actionUrl: `/trade/${symbol}`,
      actionText: 'Trade Now',
      lifetimeMs: 10 * MINUTE_MS,
    };
  },
  (random) => ({
    level: 'warning',
    title: 'Scheduled Maintenance',
    message: `Withdrawals pause for ${random.integer(5, 15)} minutes tonight; trading goes on`,
    category: 'maintenance',
    lifetimeMs: 15 * MINUTE_MS,
  }),
  (random) => ({
    level: 'info',
    title: 'Farming Rewards Doubled',
    message: `Liquidity in ${anySymbol(random)} earns twice the rewards for the next hour`,
    category: 'promotion',
    actionUrl: '/farm',
    actionText: 'Add Liquidity',
    lifetimeMs: 10 * MINUTE_MS,
  }),
  (random) => ({
    level: 'warning',
    title: 'Network Congestion',
    message: `Gas costs about ${random.integer(2, 5)} times as much as usual`,
    category: 'network',
    lifetimeMs: 3 * MINUTE_MS,
  }),
];

export class Announcements {
  readonly #random: Random;
  readonly #idPrefix: string;
  #nextInMs = FIRST_AFTER_MS;
  #count = 0;

  constructor(random: Random, idPrefix: string) {
    this.#random = random.fork('announcements');
    this.#idPrefix = idPrefix;
  }

  /** An announcement that falls into the next `stepMs`. */
  next(stepMs: number): Announcement | undefined {
    this.#nextInMs -= stepMs;
    if (this.#nextInMs > 0) return undefined;
    this.#nextInMs = EVERY_MS * this.#random.between(0.5, 1.5);
    const alertId = `${this.#idPrefix}-news-${++this.#count}`;
    return { alertId, ...this.#random.pick(KINDS)(this.#random) };
  }
}

function anySymbol(random: Random): string {
  return PAIRS[random.integer(0, PAIRS.length - 1)]?.symbol ?? '';
}
