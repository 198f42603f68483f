/**
 * Keeps a consumer running. It surveys the topics and joins the group. After a pause it begins again
 * when the consumer has crashed, when the topics that exist have changed, or when Kafka could not be
 * reached. Then it asks for the cluster's id anew, because the cluster may have been rebuilt.
 */
import type { Admin, Kafka } from 'kafkajs';
import type { Consumption } from './consumption.ts';
import { createAppender } from './kafka/client.ts';
import { Consumer, type ConsumerOptions } from './kafka/consumer.ts';
import { errorTypes, troubleOf } from './kafka/kafka-error.ts';
import type { Append } from './kafka/record.ts';
import { type SourceOptions, sourceOf } from './kafka/source.ts';
import type { Topics, TopicsPresent } from './kafka/topics.ts';
import type { Readiness } from './readiness.ts';
import { remedyOf } from './remedies.ts';
import { backoffMs, KAFKA_BACKOFF, type Pause, pause } from './shared/backoff.ts';
import type { Logger } from './shared/log.ts';

/** How often the topics are surveyed and the lag is measured. */
const WATCH_INTERVAL_MS = 5_000;
/** A survey takes some milliseconds. */
const ANSWER_DEADLINE_MS = 5_000;
/**
 * After a failure, a consumer that has joined must live this long before the trouble is reported to be over.
 * Without the right to read a topic it joins every time, and dies of its first fetch.
 */
const PROVEN_AFTER_MS = 3_000;
const CONNECTING = 'connecting';
/**
 * What a broker answers while another becomes the leader of a partition, as when a topic was just made
 * or a broker is restarted. The next survey knows the new leader.
 */
const LEADER_MOVES = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'];
/**
 * The rest before a new beginning. Kafka forgets the group's positions in a topic a moment after it has
 * deleted the topic, and a position that is read in between would belong to the topic that is gone.
 */
const REST_MS = 500;
/** A consumer that has lived this long was well, so its next failure is a new one. */
const HEALTHY_MS = 60_000;

/** What a consumption is given of Kafka. */
export interface ConsumedKafka {
  /** What batches name as theirs. */
  readonly source: string;
  readonly admin: Admin;
  readonly append: Append;
  readonly consumer: Consumer;
}

export interface SupervisorPorts {
  readonly kafka: Kafka;
  readonly topics: Topics;
  readonly source: SourceOptions;
  readonly consumer: Omit<ConsumerOptions, 'topics'>;
  readonly readiness: Readiness;
  readonly log: Logger;
  readonly consumption: (kafka: ConsumedKafka) => Consumption;
  readonly rebuilt: () => void;
  readonly pause?: Pause;
}

export class Supervisor {
  readonly #ports: SupervisorPorts;
  readonly #pause: Pause;
  readonly #stopping = new AbortController();
  #consumption: Consumption | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(ports: SupervisorPorts) {
    this.#ports = ports;
    this.#pause = ports.pause ?? pause;
  }

  start(): void {
    this.#ports.readiness.report('kafka', CONNECTING);
    this.#running = this.#run();
  }

  /** Finishes what is in flight, commits, and leaves the group. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Cuts off what `stop` waits for. */
  abandon(): void {
    this.#consumption?.close();
  }

  async #run(): Promise<void> {
    const { log, rebuilt } = this.#ports;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      try {
        const cause = await this.#connect();
        log.info({ cause }, 'consumer ended');
        if (cause !== 'stopped') failures = 0;
      } catch (error) {
        this.#reportTrouble(error);
      }
      if (this.#stopping.signal.aborted) break;
      rebuilt();
      if (performance.now() - startedAt > HEALTHY_MS) failures = 0;
      const backoff = REST_MS + backoffMs(failures++, KAFKA_BACKOFF);
      await this.#pause(backoff, this.#stopping.signal);
    }
  }

  /**
   * Opens the connections for one consumer's life. None is kept for the next one, because a kafkajs
   * client remembers each topic that it was asked about, and fails for all when one is deleted.
   */
  async #connect(): Promise<Ended> {
    const { kafka } = this.#ports;
    const admin = kafka.admin();
    const { append, connect, disconnect } = createAppender(kafka);
    // A broker that takes the connection and says nothing is given up after a minute only.
    const late = setTimeout(() => this.#reportSilence(), ANSWER_DEADLINE_MS);
    try {
      await Promise.all([admin.connect(), connect()]);
      clearTimeout(late);
      return await this.#consume(admin, append);
    } finally {
      clearTimeout(late);
      await Promise.allSettled([admin.disconnect(), disconnect()]);
    }
  }

  /** One consumer's life. @throws what ended it. */
  async #consume(admin: Admin, append: Append): Promise<Ended> {
    const { kafka, consumer: options, log } = this.#ports;
    const topics = await this.#survey(admin);
    if (topics.readable.length === 0) {
      // Kafka answers, and what is missing is a problem of its own.
      this.#reportTrouble(undefined);
      await this.#pause(WATCH_INTERVAL_MS, this.#stopping.signal);
      return 'topics_changed';
    }
    const { clusterId } = await admin.describeCluster();
    const source = sourceOf(clusterId, this.#ports.source);
    const consumer = new Consumer(kafka, { ...options, topics: topics.readable });
    const consumption = this.#ports.consumption({ source, admin, append, consumer });
    this.#consumption = consumption;
    const ended = new AbortController();
    const crash = consumer.crashed.then((cause) => {
      throw cause;
    });
    try {
      await consumption.prepare(admin, topics.readable);
      await Promise.race([crash, consumer.start(consumption)]);
      await Promise.race([crash, this.#prove(ended.signal)]);
      this.#reportTrouble(undefined);
      log.info({ source, topics: topics.readable }, 'consuming');
      return await Promise.race([crash, this.#watch(admin, topics, consumption, ended.signal)]);
    } catch (error) {
      // It is reported before the consumer is stopped, which may take long when Kafka does not answer.
      this.#reportTrouble(error);
      throw error;
    } finally {
      ended.abort();
      if (this.#stopping.signal.aborted) await consumption.finish();
      consumption.close();
      await consumer.stop().catch((error) => log.debug({ err: error }, 'consumer did not leave'));
    }
  }

  /** Resolves when the consumer should end: at our stop, or when topics came, went or were made anew. */
  async #watch(
    admin: Admin,
    { readable }: TopicsPresent,
    consumption: Consumption,
    ended: AbortSignal,
  ): Promise<Ended> {
    const stop = AbortSignal.any([this.#stopping.signal, ended]);
    const report = (trouble: unknown) => {
      // What is answered after the consumer has ended says nothing of the next one.
      if (!stop.aborted) this.#reportTrouble(trouble);
    };
    let isMoving = false;
    while (!stop.aborted) {
      // A broker that hangs breaks no connection, so the consumer would notice it after three time-outs.
      const late = setTimeout(report, ANSWER_DEADLINE_MS, 'no_answer');
      try {
        const now = await this.#survey(admin);
        if (now.readable.join() !== readable.join()) return 'topics_changed';
        if (!(await consumption.inspect(admin))) return 'positions_gone';
        report(undefined);
        isMoving = false;
      } catch (error) {
        const wasMoving = isMoving;
        isMoving = errorTypes(error).some((type) => LEADER_MOVES.includes(type));
        if (!isMoving || wasMoving) report(error);
      } finally {
        clearTimeout(late);
      }
      await this.#pause(WATCH_INTERVAL_MS, stop);
    }
    return 'stopped';
  }

  /** Waits until a consumer that follows a failure has shown that it lives. */
  async #prove(ended: AbortSignal): Promise<void> {
    const { kafka } = this.#ports.readiness.problems;
    if (kafka === undefined || kafka === CONNECTING) return;
    const stop = AbortSignal.any([this.#stopping.signal, ended]);
    await this.#pause(PROVEN_AFTER_MS, stop);
  }

  #reportSilence(): void {
    // Whatever ended the attempt before this one says more.
    if (this.#ports.readiness.problems.kafka === CONNECTING) this.#reportTrouble('no_answer');
  }

  /** Says on the readiness page what is wrong with Kafka, and logs it when that is news. */
  #reportTrouble(trouble: unknown): void {
    const { readiness, log, source } = this.#ports;
    const { reason, message } =
      typeof trouble === 'string' || trouble === undefined
        ? { reason: trouble, message: undefined }
        : troubleOf(trouble, source.brokers);
    const news = readiness.report('kafka', reason, message);
    if (!news) log.debug({ reason, message }, 'no news of Kafka');
    else if (reason === undefined) log.info('Kafka answers');
    else {
      const remedy = remedyOf(reason);
      log.warn({ reason, message, remedy }, 'Kafka is in trouble, trying again');
    }
  }

  async #survey(admin: Admin): Promise<TopicsPresent> {
    const present = await this.#ports.topics.survey(admin);
    const { missing, refusal } = present;
    const reason = missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`;
    const message = refusal && `Kafka does not let the bridge create them: ${refusal}`;
    const { readiness, log } = this.#ports;
    const news = readiness.report('topics', reason, message);
    if (news && reason !== undefined) {
      log.warn({ reason, message, remedy: remedyOf(reason) }, 'topics are missing');
    } else if (news) log.info('all topics are there');
    return present;
  }
}

type Ended = 'topics_changed' | 'positions_gone' | 'stopped';
