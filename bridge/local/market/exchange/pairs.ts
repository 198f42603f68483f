/** The dozen pairs that are traded, each with its own scale, volatility and activity. */
import type { Decimal } from '../../../../worker/protocol/events/event-shapes.ts';
import { decimal, MONEY_DIGITS } from './decimal.ts';

export interface Pair {
  readonly symbol: string;
  /** A tick, the least step of its price, is 10^-priceDigits USDC. */
  readonly priceDigits: number;
  /** A lot, the least step of a size, is 10^-sizeDigits of the token. */
  readonly sizeDigits: number;
  /** Where its price comes from and, slowly, back to: in ticks. */
  readonly homeTicks: number;
  /** Deviation of a day's return. */
  readonly dailyVolatility: number;
  /** How much of its moves are BTC's, from 0 to 1. */
  readonly correlation: number;
  /** Market orders a second, in an ordinary hour. */
  readonly ordersPerSecond: number;
  /** The usual size of a market order, in USDC. */
  readonly typicalOrder: number;
  /** The distance of best bid and best ask, in parts of the price, in an ordinary hour. */
  readonly spread: number;
}

/** Calm pairs are quoted tightly: a spread is so much of a day's deviation. */
const SPREAD_OF_VOLATILITY = 0.0025;

/**
 * priceDigits + sizeDigits is at most MONEY_DIGITS, so that a tick times a lot is a whole number of
 * micros: see `notional`.
 */
export const PAIRS: readonly Pair[] = [
  pair('BTC-USDC', 2, 4, 6_724_350, { volatility: 0.03, correlation: 1, orders: 1.6, order: 2500 }),
  pair('ETH-USDC', 2, 4, 351_240, {
    volatility: 0.038,
    correlation: 0.8,
    orders: 1.3,
    order: 1800,
  }),
  pair('SOL-USDC', 2, 3, 17_265, { volatility: 0.048, correlation: 0.7, orders: 1, order: 900 }),
  pair('BNB-USDC', 2, 3, 58_940, { volatility: 0.03, correlation: 0.65, orders: 0.5, order: 900 }),
  pair('XRP-USDC', 4, 1, 6_215, { volatility: 0.042, correlation: 0.55, orders: 0.6, order: 600 }),
  pair('DOGE-USDC', 5, 0, 14_872, { volatility: 0.055, correlation: 0.6, orders: 0.6, order: 400 }),
  pair('ADA-USDC', 4, 1, 4_518, { volatility: 0.045, correlation: 0.6, orders: 0.4, order: 400 }),
  pair('AVAX-USDC', 3, 2, 34_120, { volatility: 0.05, correlation: 0.6, orders: 0.35, order: 500 }),
  pair('LINK-USDC', 3, 2, 15_480, { volatility: 0.046, correlation: 0.6, orders: 0.4, order: 500 }),
  pair('UNI-USDC', 3, 2, 9_635, { volatility: 0.052, correlation: 0.5, orders: 0.3, order: 400 }),
  pair('ARB-USDC', 4, 1, 8_247, { volatility: 0.056, correlation: 0.5, orders: 0.35, order: 300 }),
  pair('PEPE-USDC', 9, -3, 12_340, { volatility: 0.08, correlation: 0.4, orders: 0.6, order: 250 }),
];

/** What `lots` cost at `ticks`, in micros: exact. */
export function notional(pair: Pair, ticks: number, lots: number): number {
  return ticks * lots * 10 ** (MONEY_DIGITS - pair.priceDigits - pair.sizeDigits);
}

/** How many lots `micros` buy at `ticks`. */
export function lotsFor(pair: Pair, ticks: number, micros: number): number {
  return Math.floor(micros / notional(pair, ticks, 1));
}

export const priceOf = (pair: Pair, ticks: number): Decimal => decimal(ticks, pair.priceDigits);
export const amountOf = (pair: Pair, lots: number): Decimal => decimal(lots, pair.sizeDigits);

interface Temper {
  readonly volatility: number;
  readonly correlation: number;
  readonly orders: number;
  readonly order: number;
}

function pair(
  symbol: string,
  priceDigits: number,
  sizeDigits: number,
  homeTicks: number,
  { volatility, correlation, orders, order }: Temper,
): Pair {
  return {
    symbol,
    priceDigits,
    sizeDigits,
    homeTicks,
    dailyVolatility: volatility,
    correlation,
    ordersPerSecond: orders,
    typicalOrder: order,
    spread: volatility * SPREAD_OF_VOLATILITY,
  };
}
