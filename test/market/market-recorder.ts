/**
 * An event service that keeps nothing but the text that Kafka would get, and hands each event to who
 * checks it, in order: as the gateway's own rules read it.
 */
import type { EventService } from '../../bridge/local/market/event-service.ts';
import { admit } from '../../worker/protocol/admit.ts';
import { JsonTextReader } from '../../worker/protocol/json-text.ts';

export interface Published {
  readonly topic: string;
  readonly text: string;
}

export class Recorder implements EventService {
  readonly #take: (published: Published) => void;
  readonly #now: () => number;

  constructor(take: (published: Published) => void, now: () => number) {
    this.#take = take;
    this.#now = now;
  }

  initialize = async () => {};
  shutdown = async () => {};

  publishPriceUpdate: EventService['publishPriceUpdate'] = (symbol, data, metadata) =>
    this.#publish('price.updates', { type: 'price_update', symbol, data, metadata });

  publishOrderBookUpdate: EventService['publishOrderBookUpdate'] = (symbol, data, metadata) =>
    this.#publish('order.book.updates', { type: 'order_book_update', symbol, data, metadata });

  publishTradeNotification: EventService['publishTradeNotification'] = (
    symbol,
    data,
    userId,
    metadata,
  ) =>
    this.#publish('trade.notifications', {
      type: 'trade_notification',
      symbol,
      userId,
      data,
      metadata,
    });

  publishPortfolioUpdate: EventService['publishPortfolioUpdate'] = (userId, data, metadata) =>
    this.#publish('portfolio.updates', { type: 'portfolio_update', userId, data, metadata });

  publishSystemAlert: EventService['publishSystemAlert'] = (data, metadata, userId) =>
    this.#publish('system.alerts', { type: 'system_alert', userId, data, metadata });

  async #publish(topic: string, event: object): Promise<void> {
    this.#take({ topic, text: JSON.stringify({ ...event, timestamp: this.#now() }) });
  }
}

/** An event as the gateway reads it, and where it would send it; throws why it would reject it. */
export function received({ topic, text }: Published): { event: unknown; rooms: string[] } {
  const { fields, depth } = new JsonTextReader(text).skip();
  const event: unknown = JSON.parse(text);
  const admission = admit(topic, event, { text, fields, depth });
  if (admission.kind === 'rejected') throw new Error(`${admission.message}: ${text}`);
  return { event, rooms: admission.destinations.map(({ room }) => room) };
}
