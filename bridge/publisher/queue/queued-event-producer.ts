/** A producer whose events wait in a queue: publishing never waits and never fails. */
import type { DEXEvent, NotificationEvent } from '../events.ts';
import type { EventProducer, EventRecord, PublishResult } from '../producer.ts';
import { type QueueOptions, RetryQueue } from './retry-queue.ts';

/**
 * Puts a bounded queue that retries before a producer. Publishing any event resolves at once; an event
 * that is not published in the end is passed to `onDropped`. The events of one topic and key (the symbol
 * or the user) keep their order.
 *
 * @example
 * import { DEXEventService, KafkaEventProducer, QueuedEventProducer } from '@moonx-farm/websocket-gateway';
 *
 * const producer = new QueuedEventProducer(new KafkaEventProducer(), {
 *   onDropped: ({ topic }, { code }) => log.warn({ topic, code }),
 * });
 * const events = new DEXEventService({ producer });
 * await events.initialize();
 * await events.publishPriceUpdate('BTC-USDC', { price: '45000.50' });
 * await producer.disconnect();
 */
export class QueuedEventProducer implements EventProducer {
  readonly #producer: EventProducer;
  readonly #queue: RetryQueue<EventRecord>;
  #isConnected = false;

  constructor(producer: EventProducer, options: QueueOptions<EventRecord> = {}) {
    this.#producer = producer;
    this.#queue = new RetryQueue({ send: (records) => this.#send(records), keyOf }, options);
  }

  /** How many events wait or are being sent. */
  get size(): number {
    return this.#queue.size;
  }

  /** Resolves at once: the producer connects when the first event is sent, and again after an outage. */
  async connect(): Promise<void> {}

  /** Takes an event, and resolves at once. Its data is read when it is sent, so leave it unchanged. */
  async publishEvent(
    topic: string,
    event: DEXEvent | NotificationEvent,
    partition?: number | null,
  ): Promise<void> {
    this.#queue.add({ topic, event, partition });
  }

  /** Takes a list of events, and resolves at once. */
  async publishEvents(records: readonly EventRecord[]): Promise<PublishResult> {
    for (const record of records) this.#queue.add(record);
    return { accepted: records.length, rejected: [] };
  }

  /** Waits until no event waits, at most `timeoutMs`. @returns whether none does. */
  drain(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    return this.#queue.drain(options);
  }

  /** Takes nothing more, sends what waits for at most `timeoutMs` (5 s unless given), then lets go. */
  async disconnect(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.#queue.shutdown(options);
    await this.#producer.disconnect();
  }

  async #send(records: readonly EventRecord[]): Promise<PublishResult> {
    if (!this.#isConnected) {
      await this.#producer.connect();
      this.#isConnected = true;
    }
    return this.#producer.publishEvents(records);
  }
}

function keyOf({ topic, event }: EventRecord): string {
  if ('target' in event) return `${topic} ${event.target.type}:${event.target.id}`;
  return `${topic} ${event.symbol ?? event.userId ?? ''}`;
}
