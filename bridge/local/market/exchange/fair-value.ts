/**
 * What a token is worth, which nobody sees: makers quote around it, takers are drawn to it. Its
 * logarithm is an Ornstein-Uhlenbeck process: it wanders, and over days comes back, so that a feed
 * left running for weeks still shows a price that one believes. Its volatility is another one, and
 * now and then a storm triples it for some minutes: moves come in clusters, as in real markets.
 */

import type { Random } from '../random.ts';
import type { Pair } from './pairs.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The time in which a deviation from home shrinks to 1/e. */
const HOMING_MS = 3 * DAY_MS;
/** A price goes no further than to a quarter or to four times of its home. */
const MAX_DISTANCE = Math.log(4);
const MOOD_MS = 20 * MINUTE_MS;
/** The deviation of the logarithm of volatility, in the long run. */
const MOOD_DEVIATION = 0.4;
const CALM_MS = 25 * MINUTE_MS;
const STORM_MS = 4 * MINUTE_MS;
const STORM_FACTOR = 3;

export class FairValue {
  readonly #pair: Pair;
  readonly #random: Random;
  /** Logarithms, of price by home and of volatility by its mean. */
  #distance = 0;
  #mood = 0;
  #storm = false;

  constructor(pair: Pair, random: Random) {
    this.#pair = pair;
    this.#random = random;
  }

  /** The fair value in ticks, which is not a whole number. */
  get ticks(): number {
    return this.#pair.homeTicks * Math.exp(this.#distance);
  }

  /** How agitated it is now: 1 in an ordinary hour. */
  get agitation(): number {
    return Math.exp(this.#mood) * (this.#storm ? STORM_FACTOR : 1);
  }

  /** Moves on by `ms`; `shock` is what moved BTC, normal with deviation 1. */
  advance(ms: number, shock: number): void {
    const { correlation, dailyVolatility } = this.#pair;
    const random = this.#random;
    this.#mood +=
      -this.#mood * (ms / MOOD_MS) +
      MOOD_DEVIATION * Math.sqrt((2 * ms) / MOOD_MS) * random.normal();
    if (random.chance(ms / (this.#storm ? STORM_MS : CALM_MS))) this.#storm = !this.#storm;
    const own = Math.sqrt(1 - correlation ** 2) * random.normal();
    const deviation = dailyVolatility * this.agitation * Math.sqrt(ms / DAY_MS);
    this.#move(-this.#distance * (ms / HOMING_MS) + deviation * (correlation * shock + own));
  }

  /** An order that took from the book moves the value: by `part` of the price, with its sign. */
  push(part: number): void {
    this.#move(part);
  }

  #move(by: number): void {
    this.#distance = Math.max(-MAX_DISTANCE, Math.min(MAX_DISTANCE, this.#distance + by));
  }
}
