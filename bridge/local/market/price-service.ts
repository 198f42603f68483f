/** The guide's price service: publishes a price, and tells the users whose targets it has reached. */
import type { Decimal } from '../../../worker/protocol/events.ts';
import type { EventService } from './event-service.ts';
import type { PriceAlerts } from './price-alerts.ts';

export interface PriceData {
  readonly price: Decimal;
  readonly change: Decimal;
  readonly changePercent: number;
  readonly volume: Decimal;
  readonly high24h: Decimal;
  readonly low24h: Decimal;
}

export class PriceService {
  readonly #events: EventService;
  readonly #alerts: PriceAlerts;
  readonly #now: () => number;

  constructor(events: EventService, alerts: PriceAlerts, now: () => number = Date.now) {
    this.#events = events;
    this.#alerts = alerts;
    this.#now = now;
  }

  async initialize(): Promise<void> {
    await this.#events.initialize();
  }

  /** Resolves when Kafka has the price and its alerts; all of them are on their way at once. */
  async updatePrice(symbol: string, priceData: PriceData): Promise<void> {
    await Promise.all([
      this.#events.publishPriceUpdate(
        symbol,
        { ...priceData, lastUpdated: this.#now() },
        { priority: 'high', source: 'price-service' },
      ),
      this.#checkPriceAlerts(symbol, priceData),
    ]);
  }

  async #checkPriceAlerts(symbol: string, { price }: PriceData): Promise<void> {
    const triggered = this.#alerts.triggered(symbol, Number(price));
    const published = triggered.map(({ id, userId, targetPrice }) => {
      this.#alerts.markAsTriggered(id);
      return this.#events.publishSystemAlert(
        {
          alertId: id,
          level: 'info',
          title: 'Price Alert Triggered',
          message: `${symbol} has reached your target price of $${targetPrice}`,
          category: 'price_alert',
          actionUrl: `/trade/${symbol}`,
          actionText: 'Trade Now',
        },
        { priority: 'medium', source: 'price-service' },
        userId,
      );
    });
    await Promise.all(published);
  }
}
