// The guide's example as printed; what the guide leaves to the reader stands below `// stubs`.
// price-service.ts
import { DEXEventService } from './event-service';

export class PriceService {
  private eventService: DEXEventService;

  constructor() {
    this.eventService = new DEXEventService();
  }

  async initialize(): Promise<void> {
    await this.eventService.initialize();
  }

  async updatePrice(symbol: string, priceData: PriceData): Promise<void> {
    try {
      // Store price in database
      await this.storePriceUpdate(symbol, priceData);

      // Publish price update event (real-time)
      await this.eventService.publishPriceUpdate(
        symbol,
        {
          price: priceData.price,
          change: priceData.change,
          changePercent: priceData.changePercent,
          volume: priceData.volume,
          high24h: priceData.high24h,
          low24h: priceData.low24h,
          lastUpdated: Date.now()
        },
        { priority: 'high', source: 'price-service' }
      );

      // Check for triggered alerts
      await this.checkPriceAlerts(symbol, priceData);

    } catch (error) {
      console.error('Failed to process price update:', error);
      throw error;
    }
  }

  private async checkPriceAlerts(symbol: string, priceData: PriceData): Promise<void> {
    // Get alerts that match the price condition
    const triggeredAlerts = await this.getTriggeredAlerts(symbol, priceData.price);

    // Send system alerts for triggered price alerts
    for (const alert of triggeredAlerts) {
      await this.eventService.publishSystemAlert({
        alertId: alert.id,
        level: 'info',
        title: 'Price Alert Triggered',
        message: `${symbol} has reached your target price of $${alert.targetPrice}`,
        category: 'price_alert',
        actionUrl: `/trade/${symbol}`,
        actionText: 'Trade Now'
      }, { priority: 'medium', source: 'price-service' });

      // Mark alert as triggered
      await this.markAlertAsTriggered(alert.id);
    }
  }

  // stubs
  private async storePriceUpdate(_symbol: string, _data: PriceData): Promise<void> {}

  private async getTriggeredAlerts(_symbol: string, price: number) {
    return price > 45000 ? [{ id: 'alert-1', targetPrice: 45000 }] : [];
  }

  private async markAlertAsTriggered(_id: string): Promise<void> {}
}

export interface PriceData {
  price: number;
  change: number;
  changePercent: number;
  volume: number;
  high24h: number;
  low24h: number;
}
