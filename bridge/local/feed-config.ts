/** What the sample feed can be told by the environment. */
import { SetupError } from './setup-error.ts';

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

/** @throws {SetupError} naming the variable that is wrong. */
export function readFeedConfig(env: NodeJS.ProcessEnv): FeedConfig {
  return { speed: speedOf(env.FEED_SPEED), seed: seedOf(env.FEED_SEED) };
}

function speedOf(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  const speed = Number(text);
  if (/^\d*\.?\d+$/.test(text) && speed >= MIN_SPEED && speed <= MAX_SPEED) return speed;
  throw new SetupError(
    `FEED_SPEED must be a number from ${MIN_SPEED} to ${MAX_SPEED}, not "${text}".`,
  );
}

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_SEED;
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed <= MAX_SEED) return seed;
  throw new SetupError(`FEED_SEED must be a whole number from 0 to ${MAX_SEED}, not "${text}".`);
}
