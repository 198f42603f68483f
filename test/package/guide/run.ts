// Runs the guide's examples once, against the Kafka of KAFKA_BROKERS.
import { PriceService } from './price-service';
import { SwapService } from './swap-service';
import { testEventPublishing } from './test-integration';
import { TradingService } from './trading-service';

async function main(): Promise<void> {
  await testEventPublishing();

  const prices = new PriceService();
  await prices.initialize();
  await prices.updatePrice('BTC-USDC', {
    price: 45100.25,
    change: 1,
    changePercent: 0.1,
    volume: 10,
    high24h: 45200,
    low24h: 44000,
  });

  const trading = new TradingService();
  await trading.initialize();
  await trading.executeTrade({
    id: 'trade-456',
    symbol: 'BTC-USDC',
    userId: 'user-123',
    side: 'buy',
    amount: 0.1,
  });

  const swaps = new SwapService();
  const order = { userId: 'user-123', fromToken: 'ETH', toToken: 'USDC', isPublic: true };
  await swaps.processSwap({ ...order, id: 'swap-1', fromAmount: '1.5' });
  await swaps.processSwap({ ...order, id: 'swap-2', fromAmount: '0' }).catch(() => undefined);
}

main().then(
  // The guide's services have no end of their own.
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
