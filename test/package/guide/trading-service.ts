// The guide's example as printed; what the guide leaves to the reader stands below `// stubs`.
// trading-service.ts
import { DEXEventService } from './event-service';

export class TradingService {
  private eventService: DEXEventService;

  constructor() {
    this.eventService = new DEXEventService();
  }

  async initialize(): Promise<void> {
    await this.eventService.initialize();
  }

  async executeTrade(tradeOrder: TradeOrder): Promise<TradeResult> {
    try {
      // Execute trade logic
      const result = await this.performTrade(tradeOrder);

      // Publish trade notification
      await this.eventService.publishTradeNotification(
        tradeOrder.symbol,
        {
          tradeId: tradeOrder.id,
          price: result.executedPrice,
          amount: result.executedAmount,
          side: tradeOrder.side,
          txHash: result.txHash,
          gasUsed: result.gasUsed,
          fees: result.fees
        },
        tradeOrder.userId,
        { priority: 'high', source: 'trading-service' }
      );

      // Update portfolio
      await this.updatePortfolioAfterTrade(tradeOrder.userId, result);

      return result;
    } catch (error) {
      // Log error but don't fail the operation
      console.error('Failed to publish trade notification:', error);
      throw error;
    }
  }

  private async updatePortfolioAfterTrade(userId: string, tradeResult: TradeResult): Promise<void> {
    // Calculate new portfolio values
    const portfolioData = await this.calculatePortfolio(userId);

    // Publish portfolio update
    await this.eventService.publishPortfolioUpdate(
      userId,
      portfolioData,
      { priority: 'medium', source: 'trading-service' }
    );
  }

  // stubs
  private async performTrade(order: TradeOrder): Promise<TradeResult> {
    return {
      executedPrice: 45000,
      executedAmount: order.amount,
      txHash: '0xabc',
      gasUsed: '21000',
      fees: { gas: '0.001', platform: '0.0005' },
    };
  }

  private async calculatePortfolio(userId: string): Promise<Portfolio> {
    return { owner: userId, totalValue: 15420.75, positions: [{ symbol: 'BTC-USDC', amount: 0.35 }] };
  }
}

export interface TradeOrder {
  id: string;
  symbol: string;
  userId: string;
  side: string;
  amount: number;
}

interface TradeResult {
  executedPrice: number;
  executedAmount: number;
  txHash: string;
  gasUsed: string;
  fees: { gas: string; platform: string };
}

interface Portfolio {
  owner: string;
  totalValue: number;
  positions: { symbol: string; amount: number }[];
}
