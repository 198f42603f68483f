/** Publishes notifications to users, rooms and everybody, by the topic `notifications`. */
import { NOTIFICATIONS_TOPIC } from '../../worker/protocol/events/topics.ts';
import { isOutage, PublishError, toPublishError } from './errors.ts';
import type { EventMetadata, Notification, NotificationEvent, SwapData } from './events.ts';
import { readTarget } from './notification-target.ts';
import { requireList } from './outbox/outbox.ts';
import { permissionTurns } from './permission.ts';
import type { EventProducer, PublishRejection, PublishResult } from './producer.ts';
import { chooseProducer, type PublisherOptions } from './publisher-options.ts';
import { sanitizeNotificationData } from './sanitize-notification-data.ts';

/** How many notifications of a list are sent at once, so that a long list never floods Kafka. */
const CHUNK_SIZE = 100;

export type NotificationServiceOptions = PublisherOptions & {
  /** Whether `userId` is to get notifications of `type`. Asked for users only, not for rooms or all. */
  readonly hasNotificationPermission?:
    | ((userId: string, type: string) => boolean | Promise<boolean>)
    | undefined;
};

/**
 * Publishes notifications. It connects by itself at the first one; `shutdown` disconnects.
 *
 * Data is sanitised first, see `sanitizeNotificationData`. The methods that publish one notification
 * resolve once Kafka (or the gateway) has it, and throw a `PublishError` when it has not:
 * `permission_denied`, the gateway's code when the notification is at fault (`type_invalid`,
 * `target_invalid`, `data_invalid`, …), else `kafka_unavailable`, `publisher_busy`, … After
 * `kafka_unavailable` it may have been written: to publish it again may send it twice.
 *
 * @example
 * import { NotificationService } from '@moonx-farm/websocket-gateway';
 *
 * const notifications = new NotificationService();
 * await notifications.notifyUser('user-123', 'swap_failed', { swapId: 'swap-456' });
 * await notifications.notifyRoom('trading-room-general', 'trading', 'public_swap_completed', {
 *   fromToken: 'ETH',
 *   toToken: 'USDC',
 * });
 * await notifications.shutdown();
 */
export class NotificationService {
  readonly #producer: EventProducer;
  readonly #ownsProducer: boolean;
  readonly #now: () => number;
  readonly #permit: ((userId: string, type: string) => Promise<void>) | undefined;
  /** Calls that began before `shutdown`. */
  readonly #underWay = new Set<Promise<unknown>>();
  #connection: Promise<void> | undefined;
  #isShutDown = false;

  /** @throws {ConfigError} naming the variable that cannot be used. */
  constructor(options: NotificationServiceOptions = {}) {
    const { producer, isOwn } = chooseProducer(options);
    this.#producer = producer;
    this.#ownsProducer = isOwn;
    this.#now = options.now ?? Date.now;
    const ask = options.hasNotificationPermission;
    if (ask !== undefined) this.#permit = permissionTurns(ask);
  }

  /** @throws {PublishError} */
  async notifyUser(
    userId: string,
    type: string,
    data: object,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    await this.publishNotification({ type, target: { type: 'user', id: userId }, data, metadata });
  }

  /** Publishes to a custom room, such as `trading-room-general`. @throws {PublishError} */
  async notifyRoom(
    room: string,
    category: string,
    type: string,
    data: object,
    metadata?: EventMetadata | null,
  ): Promise<void> {
    const target = { type: 'room', id: room };
    await this.publishNotification({ type, target, category, data, metadata });
  }

  /** Publishes `swap_completed` to the user whose swap it was. @throws {PublishError} */
  async notifySwapCompleted<Data extends SwapData>(userId: string, data: Data): Promise<void> {
    await this.notifyUser(userId, 'swap_completed', data);
  }

  /**
   * Publishes to its target: a user, a custom room, or with `{ type: 'all' }` every connected client,
   * whatever rooms it is in. @throws {PublishError}
   */
  publishNotification<Given extends Notification>(notification: Given): Promise<void> {
    return this.#track(this.#publishOne(notification));
  }

  /**
   * Publishes a list, by a hundred at a time; each is judged by itself. It throws only when given no
   * list: what is not published stands in `rejected`. Once Kafka or the gateway cannot be reached the
   * rest is rejected untried.
   */
  publishNotifications(list: readonly Notification[]): Promise<PublishResult> {
    return this.#track(this.#publishList(list));
  }

  /**
   * Sends what was asked for before and disconnects, unless the producer is shared. Nothing can be
   * published after.
   */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await Promise.allSettled(this.#underWay);
    await this.#connection?.catch(() => undefined);
    if (this.#ownsProducer) await this.#producer.disconnect();
  }

  #track<Result>(call: Promise<Result>): Promise<Result> {
    this.#underWay.add(call);
    const forget = () => this.#underWay.delete(call);
    call.then(forget, forget);
    return call;
  }

  async #publishOne(notification: Notification): Promise<void> {
    this.#requireOpen();
    const event = this.#compose(notification);
    await this.#admit(event);
    await this.#connect();
    await this.#producer.publishEvent(NOTIFICATIONS_TOPIC.name, event);
  }

  async #publishList(list: readonly Notification[]): Promise<PublishResult> {
    requireList(list);
    try {
      this.#requireOpen();
    } catch (error) {
      return allRejected(list.length, toPublishError(error));
    }
    let accepted = 0;
    const rejected: PublishRejection[] = [];
    let outage: PublishRejection | undefined;
    for (let start = 0; start < list.length; start += CHUNK_SIZE) {
      const chunk = list.slice(start, start + CHUNK_SIZE);
      const result: PublishResult =
        outage === undefined ? await this.#publishChunk(chunk) : allRejected(chunk.length, outage);
      accepted += result.accepted;
      for (const rejection of result.rejected) {
        rejected.push({ ...rejection, index: start + rejection.index });
      }
      outage ??= result.rejected.find(({ code }) => isOutage(code));
    }
    return { accepted, rejected };
  }

  async #publishChunk(chunk: readonly Notification[]): Promise<PublishResult> {
    // `Array.from` is used because a hole in the list is an entry too.
    const preparing = Array.from(chunk, (notification) => this.#prepare(notification));
    const prepared = await Promise.all(preparing);
    const rejected: PublishRejection[] = [];
    const indexes: number[] = [];
    const records: { topic: string; event: NotificationEvent }[] = [];
    for (const [index, event] of prepared.entries()) {
      if (event instanceof PublishError) {
        rejected.push({ index, code: event.code, message: event.message });
      } else {
        indexes.push(index);
        records.push({ topic: NOTIFICATIONS_TOPIC.name, event });
      }
    }
    const result = await this.#publishRecords(records);
    for (const rejection of result.rejected) {
      const index = indexes[rejection.index];
      if (index !== undefined) rejected.push({ ...rejection, index });
    }
    return { accepted: result.accepted, rejected: rejected.sort((a, b) => a.index - b.index) };
  }

  async #publishRecords(
    records: readonly { topic: string; event: NotificationEvent }[],
  ): Promise<PublishResult> {
    if (records.length === 0) return { accepted: 0, rejected: [] };
    try {
      await this.#connect();
      return await this.#producer.publishEvents(records);
    } catch (error) {
      return allRejected(records.length, toPublishError(error));
    }
  }

  async #prepare(notification: Notification): Promise<NotificationEvent | PublishError> {
    try {
      const event = this.#compose(notification);
      await this.#admit(event);
      return event;
    } catch (error) {
      return toPublishError(error);
    }
  }

  /** Copies the notification before anything is awaited, because the caller may change its data then. */
  #compose(notification: Notification): NotificationEvent {
    if (typeof notification !== 'object' || notification === null) {
      throw new PublishError('event_not_object', 'a notification is an object');
    }
    const { type, target, category, data, timestamp, metadata } = notification;
    return {
      type,
      target: readTarget(target),
      category,
      data: sanitizeNotificationData(data),
      timestamp: timestamp ?? this.#now(),
      metadata,
    };
  }

  async #admit({ type, target }: NotificationEvent): Promise<void> {
    if (this.#permit === undefined || target.type !== 'user') return;
    await this.#permit(String(target.id), type);
  }

  #requireOpen(): void {
    if (!this.#isShutDown) return;
    throw new PublishError('not_connected', 'the service has been shut down');
  }

  /** Connects once for all who wait. After a failure the next notification connects again. */
  #connect(): Promise<void> {
    if (this.#connection === undefined) {
      const connection = this.#producer.connect();
      this.#connection = connection;
      connection.catch(() => {
        if (this.#connection === connection) this.#connection = undefined;
      });
    }
    return this.#connection;
  }
}

function allRejected(
  count: number,
  { code, message }: Pick<PublishRejection, 'code' | 'message'>,
): PublishResult {
  const rejected = Array.from({ length: count }, (_, index) => ({ index, code, message }));
  return { accepted: 0, rejected };
}
