/** The sample feed, as a process of its own, told by its environment. */
import { fileURLToPath } from 'node:url';
import type { FeedConfig } from '../feed-config.ts';
import { spawnOwned } from './owned-process.ts';
import type { Running } from './supervised.ts';

const MAIN = fileURLToPath(new URL('../market/main.ts', import.meta.url));
/** What it has published is answered within milliseconds, or Kafka is gone. */
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
