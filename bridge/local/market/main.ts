/** The sample feed as a process of its own: a living market, published as a backend publishes. */
import { DEXEventService } from '../../publisher/dex-event-service.ts';
import { isForGood, PublishError } from '../../publisher/errors.ts';
import { readFeedConfig } from '../feed-config.ts';
import { Feed } from './feed.ts';
import { PatientEvents } from './patient-events.ts';
import { runFeed } from './run-feed.ts';

/** What waits at the end may still be taken; a Kafka that is gone is not awaited. */
const STOP_GRACE_MS = 1_000;

const log = (line: string) => console.log(`feed    ${line}`);
// Whoever read what we say may be gone.
process.stdout.on('error', () => {});

const { speed, seed } = readFeedConfig(process.env);
const running = new AbortController();
const publishing = new AbortController();
process.on('SIGINT', () => {});
process.once('SIGTERM', () => {
  running.abort();
  setTimeout(() => publishing.abort(), STOP_GRACE_MS / 2);
  setTimeout(() => process.exit(), STOP_GRACE_MS);
});

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
const events = new PatientEvents(
  new DEXEventService({ kafka: { brokers, clientId: 'sample-feed' } }),
  {
    signal: publishing.signal,
    isForGood: (error) => error instanceof PublishError && isForGood(error.code),
    log,
  },
);
const feed = new Feed({ seed, events });
await feed.initialize();
await runFeed(
  {
    speed,
    step: () => void feed.step().catch((error: unknown) => onFailure(error)),
    hasRoom: () => events.hasRoom,
    room: () => events.room(),
  },
  running.signal,
);
await events.idle();
await events.shutdown();
process.exit();

/** Only at the end are events given up; anything else is a fault of ours. */
function onFailure(error: unknown): void {
  if (publishing.signal.aborted) return;
  console.error(error);
  process.exit(1);
}
