/** The configuration of the sample feed by the environment. */
import { decimal, type Environment, integer } from '../../worker/protocol/environment/variables.ts';

const DEFAULT_SPEED = 1;
const DEFAULT_SEED = 1;
/** Some ten thousand events a second: more than a laptop's stack delivers. */
const MAX_SPEED = 200;
/** An event every two seconds. */
const MIN_SPEED = 0.01;
const MAX_SEED = 2 ** 32 - 1;

export interface FeedConfig {
  /** How many times faster than the clock the market lives. */
  readonly speed: number;
  /** The same seed makes the same market. */
  readonly seed: number;
}

/** @throws {ConfigError} naming the variable that is wrong. */
export function readFeedConfig(env: Environment): FeedConfig {
  return {
    speed: decimal(env, 'FEED_SPEED', DEFAULT_SPEED, MIN_SPEED, MAX_SPEED),
    seed: integer(env, 'FEED_SEED', DEFAULT_SEED, 0, MAX_SEED),
  };
}
