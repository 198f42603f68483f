/** A feed in virtual time: as many steps as one likes, at once. */
import { Feed, STEP_MS } from '../../bridge/local/market/feed.ts';
import { type Published, Recorder } from './market-recorder.ts';

/** When all virtual markets open: 2026-01-01. */
const OPENING = 1_767_225_600_000;

/** Runs `marketMs` of a market, handing each event to `take`. */
export async function runMarket(
  seed: number,
  marketMs: number,
  take: (published: Published) => void,
): Promise<void> {
  let time = OPENING;
  const now = () => time;
  const feed = new Feed({ seed, events: new Recorder(take, now), now });
  await feed.initialize();
  for (; time < OPENING + marketMs; time += STEP_MS) await feed.step();
}
