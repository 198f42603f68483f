/** The queue of a `NotificationService`: each user, each room and everybody has a key of its own. */
import { toPublishError } from '../errors.ts';
import type { Notification } from '../events.ts';
import { readTarget } from '../notification-target.ts';
import type { PublishResult } from '../producer.ts';
import { type QueueOptions, RetryQueue } from './retry-queue.ts';

/** What a queue sends through; a `NotificationService` is one. */
export interface NotificationSender {
  publishNotifications(list: readonly Notification[]): Promise<PublishResult>;
}

export type NotificationQueueOptions = QueueOptions<Notification>;

/**
 * A bounded queue of notifications that retries by itself. What its caller is about never waits for
 * Kafka nor fails with it. The notifications of one target keep their order.
 *
 * @example
 * import { NotificationQueue, NotificationService } from '@moonx-farm/websocket-gateway';
 *
 * const queue = new NotificationQueue(new NotificationService(), {
 *   onDropped: (notification, { code }) => log.warn({ type: notification.type, code }),
 * });
 * await queue.addNotification({
 *   type: 'swap_completed',
 *   target: { type: 'user', id: 'user-123' },
 *   data: { swapId: 'swap-456' },
 * });
 * await queue.shutdown({ timeoutMs: 5_000 });
 */
export class NotificationQueue {
  readonly #queue: RetryQueue<Notification>;
  readonly #now: () => number;

  constructor(sender: NotificationSender, options: NotificationQueueOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#queue = new RetryQueue(
      {
        send: (list) => sender.publishNotifications(list),
        keyOf: ({ target }) => `${target.type}:${target.id}`,
      },
      options,
    );
  }

  /** How many notifications wait or are being sent. */
  get size(): number {
    return this.#queue.size;
  }

  /**
   * Takes a notification, with the present time as its own unless it has one. It resolves at once and
   * never rejects: a notification that is not published is passed to `onDropped`. Its data is read when
   * it is sent, so leave it unchanged.
   */
  async addNotification<Given extends Notification>(notification: Given): Promise<void> {
    let copy: Notification;
    try {
      const target = readTarget(notification?.target);
      copy = { ...notification, target, timestamp: notification.timestamp ?? this.#now() };
    } catch (error) {
      const { code, message } = toPublishError(error);
      this.#queue.drop(notification, { code, message });
      return;
    }
    this.#queue.add(copy);
  }

  /**
   * Waits until the queue is empty, at most `timeoutMs`; without it for as long as it takes.
   * @returns whether it is empty.
   */
  drain(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    return this.#queue.drain(options);
  }

  /**
   * Takes nothing more, drains for at most `timeoutMs` (5 s unless given), then gives up what is
   * left: `onDropped` gets each with `queue_closed`. Notifications that were just being sent may
   * arrive even so. The service is left to its owner.
   */
  shutdown(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#queue.shutdown(options);
  }
}
