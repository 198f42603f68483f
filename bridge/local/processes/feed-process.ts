/** The sample feed as a process of its own, which is configured by its environment. */
import { fileURLToPath } from 'node:url';
import type { FeedConfig } from '../feed-config.ts';
import { spawnOwned } from './owned-process.ts';
import type { Running } from './supervised.ts';

const MAIN = fileURLToPath(new URL('../market/main.ts', import.meta.url));
/** How long the feed may take to end, in ms. What it has published is answered within milliseconds. */
const STOP_GRACE_MS = 1500;

export async function startFeed(
  { speed, seed }: FeedConfig,
  brokers: string,
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const feed = await spawnOwned(process.execPath, [MAIN], {
    env: { ...env, KAFKA_BROKERS: brokers, FEED_SPEED: String(speed), FEED_SEED: String(seed) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { exited: feed.exited, stop: () => feed.stop(STOP_GRACE_MS) };
}
