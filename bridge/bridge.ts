/** Puts the parts of the bridge together by its configuration, to be started and stopped as one. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import { Consumption } from './consumption.ts';
import { BATCH_LIMITS, Batcher } from './delivery/batcher.ts';
import { DeadLetters } from './delivery/dead-letter.ts';
import { DeadLetterLog } from './delivery/dead-letter-log.ts';
import { Delivery } from './delivery/delivery.ts';
import { httpPost } from './delivery/http-post.ts';
import { Semaphore } from './delivery/semaphore.ts';
import { Sender, type SenderObserver } from './delivery/sender.ts';
import { SharedPost } from './delivery/shared-post.ts';
import { createKafka } from './kafka/client.ts';
import { Topics } from './kafka/topics.ts';
import { Metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';
import { remedyOf } from './remedies.ts';
import { startServer } from './server.ts';
import type { Logger } from './shared/log.ts';
import { Supervisor } from './supervisor.ts';

export interface Bridge {
  /** The port of `/health`, `/ready` and `/metrics`. */
  readonly port: number;
  /** Finishes what is in flight, commits, and leaves the group. */
  stop(): Promise<void>;
  /** Cuts off what `stop` waits for. */
  abandon(): void;
}

/** Resolves once its own HTTP listens. Whether the bridge delivers is said by `/ready`. */
export async function startBridge(config: Config, log: Logger): Promise<Bridge> {
  const readiness = new Readiness();
  const metrics = new Metrics(() => readiness.ready);
  const kafka = createKafka(config.kafka, log);
  const { post, close: closePost } = httpPost(config.eventsUrl);

  let stopping = false;
  const waiting = (partition: string, reason: string | undefined, message?: string) => {
    const changed = readiness.report(`delivery ${partition}`, reason, message);
    if (changed && reason !== undefined) {
      const remedy = remedyOf(reason);
      log.warn({ partition, reason, message, remedy }, 'delivery waits');
    }
    // During a stop the delivery was given up, so it does not go on.
    else if (changed && !stopping) log.info({ partition }, 'delivery goes on');
  };
  const answered: SenderObserver['answered'] = ({ verdict, reason, seconds, taken }) => {
    metrics.posts.inc({ verdict, reason });
    metrics.postSeconds.observe(seconds);
    if (verdict === 'accepted') metrics.batchRecords.observe(taken);
  };
  const sender = new Sender({
    post,
    keys: config.keys,
    permits: new Semaphore(config.concurrency),
    observer: { waiting, answered },
  });

  const deadLetterLog = new DeadLetterLog(log);
  const { groupId, sessionTimeoutMs } = config.kafka;
  const supervisor = new Supervisor({
    kafka,
    readiness,
    log,
    topics: new Topics(config.topics.required, config.topics.optional, log),
    source: { brokers: config.kafka.brokers, topicPrefix: config.topics.prefix },
    consumer: { groupId, sessionTimeoutMs },
    rebuilt: () => metrics.rebuilds.inc(),
    consumption: ({ source, admin, append, consumer }) => {
      const batcher = new Batcher(source, BATCH_LIMITS, config.topics.prefix);
      const deadLetters = new DeadLetters({
        source,
        group: groupId,
        append,
        observer: {
          waiting,
          deadLettered: (origin, refusals) => {
            const { topic } = origin;
            for (const { code } of refusals) metrics.deadLettered.inc({ topic, code });
            deadLetterLog.report(origin, refusals);
          },
        },
      });
      const delivery = new Delivery({
        batcher,
        sender: new SharedPost({ sender, batcher, observer: { answered } }),
        deadLetters,
        observer: {
          delivered: ({ topic }, { accepted, duplicates }) => {
            metrics.accepted.inc({ topic }, accepted);
            metrics.duplicates.inc({ topic }, duplicates);
          },
          skipped: ({ topic }, tombstones) => metrics.tombstones.inc({ topic }, tombstones),
        },
      });
      const { bufferBytes } = config;
      const ports = { groupId, batcher, delivery, admin, metrics, readiness, log, bufferBytes };
      return new Consumption({ ...ports, consumer });
    },
  });

  const server = await startServer(config.host, config.port, {
    readiness,
    registry: metrics.registry,
  });
  supervisor.start();
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      stopping = true;
      readiness.report('bridge', 'stopping');
      await supervisor.stop();
      closePost();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    abandon: () => supervisor.abandon(),
  };
}
