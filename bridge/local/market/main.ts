/** The sample feed as a process of its own: a living market, published as a backend publishes. */
import { DEXEventService } from '../../publisher/dex-event-service.ts';
import { KafkaEventProducer } from '../../publisher/kafka/kafka-event-producer.ts';
import { QueuedEventProducer } from '../../publisher/queue/queued-event-producer.ts';
import type { DropReason } from '../../publisher/queue/retry-queue.ts';
import { pause } from '../../shared/backoff.ts';
import { readFeedConfig } from '../feed-config.ts';
import { Feed } from './feed.ts';
import { runFeed } from './run-feed.ts';

/** How many events may wait for Kafka before the market waits too. */
const MAX_WAITING = 1_000;
/** How often a market that waits looks whether Kafka has taken something, in ms. */
const LOOK_EVERY_MS = 50;
/** At the end, what waits may still be taken; a Kafka that is gone is not awaited. */
const STOP_GRACE_MS = 1_000;

// Whoever read what we print may be gone.
process.stdout.on('error', () => {});

const { speed, seed } = readFeedConfig(process.env);
const running = new AbortController();
process.on('SIGINT', () => {});
process.once('SIGTERM', () => {
  running.abort();
  setTimeout(() => process.exit(), STOP_GRACE_MS);
});

let dropped = 0;
const producer = new QueuedEventProducer(new KafkaEventProducer({ clientId: 'sample-feed' }), {
  onDropped: (_event, reason) => reportDropped(reason),
});
const feed = new Feed({ seed, events: new DEXEventService({ producer }) });
const hasRoom = () => producer.size < MAX_WAITING;
await runFeed(
  {
    speed,
    step: () => feed.step(),
    hasRoom,
    room: async () => {
      while (!hasRoom() && !running.signal.aborted) await pause(LOOK_EVERY_MS, running.signal);
    },
  },
  running.signal,
);
await producer.disconnect({ timeoutMs: STOP_GRACE_MS / 2 });
process.exit();

/** This is reported less and less often, because what refuses one event may refuse them all. */
function reportDropped({ code, message }: DropReason): void {
  if (code === 'queue_closed') return;
  dropped++;
  if (Number.isInteger(Math.log2(dropped))) {
    console.log(`feed    ${dropped} events were not published so far (${code}: ${message})`);
  }
}
