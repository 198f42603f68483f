/** What publishes: the contract of the Kafka and the HTTP producer. */
import type { PublishErrorCode } from './errors.ts';
import type { DEXEvent, NotificationEvent } from './events.ts';

/** An event and the Kafka topic that it comes by. */
export interface EventRecord {
  /** `price.updates`, `order.book.updates`, `trade.notifications`, … */
  readonly topic: string;
  readonly event: DEXEvent | NotificationEvent;
  /** Chosen by the event's key unless given. The HTTP producer has no partitions and ignores it. */
  readonly partition?: number | null | undefined;
}

/** An event of a list that was not published. */
export interface PublishRejection {
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly code: PublishErrorCode;
  readonly message: string;
}

/** What became of a list: accepted + rejected.length is its length. */
export interface PublishResult {
  readonly accepted: number;
  /** By `index`, ascending. */
  readonly rejected: readonly PublishRejection[];
}

/**
 * Publishes events, in the order in which it is called. What is published while an earlier send is
 * under way goes together with the next.
 */
export interface EventProducer {
  /**
   * Idempotent. @throws {PublishError} `kafka_unavailable`, `kafka_forbidden`; `not_connected` when
   * `disconnect` is called meanwhile
   */
  connect(): Promise<void>;
  /** Resolves once the event is taken. @throws {PublishError} */
  publishEvent(
    topic: string,
    event: DEXEvent | NotificationEvent,
    partition?: number | null,
  ): Promise<void>;
  /**
   * Publishes a list; each event is judged by itself. It throws only when not connected, or when given
   * no list: what is not published, for whatever reason, stands in `rejected`.
   */
  publishEvents(records: readonly EventRecord[]): Promise<PublishResult>;
  /** Sends what waits, then lets go. */
  disconnect(): Promise<void>;
}
