/** Publishes prices, and notifies the users whose targets a price has reached. */
import type { DEXEventService } from '../../../publisher/dex-event-service.ts';
import type { PriceData } from '../../../publisher/events.ts';
import type { PriceAlerts } from './price-alerts.ts';

export class PriceService {
  readonly #events: Pick<DEXEventService, 'publishPriceUpdate' | 'publishSystemAlert'>;
  readonly #alerts: PriceAlerts;
  readonly #now: () => number;

  constructor(
    events: Pick<DEXEventService, 'publishPriceUpdate' | 'publishSystemAlert'>,
    alerts: PriceAlerts,
    now: () => number,
  ) {
    this.#events = events;
    this.#alerts = alerts;
    this.#now = now;
  }

  updatePrice(symbol: string, priceData: PriceData): void {
    void this.#events.publishPriceUpdate(
      symbol,
      { ...priceData, lastUpdated: this.#now() },
      { priority: 'high', source: 'price-service' },
    );
    this.#checkPriceAlerts(symbol, priceData);
  }

  #checkPriceAlerts(symbol: string, { price }: PriceData): void {
    for (const { id, userId, targetPrice } of this.#alerts.triggered(symbol, Number(price))) {
      this.#alerts.markAsTriggered(id);
      void this.#events.publishSystemAlert(
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
    }
  }
}
