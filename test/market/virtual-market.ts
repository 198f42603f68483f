/** A feed in virtual time: as many steps as one likes, at once. */
import { Feed, STEP_MS } from '../../bridge/local/market/feed.ts';
import { DEXEventService } from '../../bridge/publisher/dex-event-service.ts';
import { type Published, recorder } from './market-recorder.ts';

/** When all virtual markets open: 2026-01-01. */
const OPENING = 1_767_225_600_000;

/** Runs `marketMs` of a market, handing each event to `record`. It throws what `record` throws. */
export async function runMarket(
  seed: number,
  marketMs: number,
  record: (published: Published) => void,
): Promise<void> {
  let time = OPENING;
  let failure: unknown;
  const now = () => time;
  const producer = recorder((published) => {
    try {
      if (failure === undefined) record(published);
    } catch (error) {
      failure = error;
    }
  });
  const feed = new Feed({ seed, events: new DEXEventService({ producer, now }), now });
  for (; time < OPENING + marketMs && failure === undefined; time += STEP_MS) feed.step();
  if (failure !== undefined) throw failure;
}
