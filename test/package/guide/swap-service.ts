// The guide's example as printed; what the guide leaves to the reader stands below `// stubs`.
// Complete service integration
import { NotificationService } from '@moonx-farm/websocket-gateway';

class SwapService {
  private notificationService: NotificationService;

  constructor() {
    this.notificationService = new NotificationService();
  }

  async processSwap(swapOrder: SwapOrder): Promise<void> {
    try {
      // 1. Execute swap
      const result = await this.executeSwap(swapOrder);

      // 2. Update database
      await this.updateSwapRecord(swapOrder.id, result);

      // 3. Send success notification
      await this.notificationService.notifySwapCompleted(
        swapOrder.userId,
        {
          swapId: swapOrder.id,
          fromToken: swapOrder.fromToken,
          toToken: swapOrder.toToken,
          fromAmount: swapOrder.fromAmount,
          toAmount: result.toAmount,
          txHash: result.txHash,
          gasUsed: result.gasUsed,
          timestamp: Date.now()
        }
      );

      // 4. Notify trading room if public
      if (swapOrder.isPublic) {
        await this.notificationService.notifyRoom(
          'trading-room-general',
          'trading',
          'public_swap_completed',
          {
            fromToken: swapOrder.fromToken,
            toToken: swapOrder.toToken,
            fromAmount: swapOrder.fromAmount,
            toAmount: result.toAmount,
            timestamp: Date.now()
          }
        );
      }

    } catch (error) {
      // Send failure notification
      await this.notificationService.notifyUser(
        swapOrder.userId,
        'swap_failed',
        {
          swapId: swapOrder.id,
          error: error.message,
          errorCode: error.code,
          fromToken: swapOrder.fromToken,
          toToken: swapOrder.toToken,
          fromAmount: swapOrder.fromAmount
        },
        { priority: 'high', source: 'swap-service' }
      );

      throw error;
    }
  }

  // stubs
  private async executeSwap(order: SwapOrder) {
    if (order.fromAmount === '0') throw Object.assign(new Error('nothing to swap'), { code: 'EMPTY' });
    return { toAmount: '2500.0', txHash: '0xdef', gasUsed: '90000' };
  }

  private async updateSwapRecord(_id: string, _result: { toAmount: string }): Promise<void> {}
}

interface SwapOrder {
  id: string;
  userId: string;
  fromToken: string;
  toToken: string;
  fromAmount: string;
  isPublic: boolean;
}

export { SwapService };
