// The guide's example as printed; what the guide leaves to the reader stands below `// stubs`.
import { DEXEventService } from './event-service';

// Test event publishing
async function testEventPublishing() {
  const eventService = new DEXEventService();
  
  await eventService.initialize();
  
  // Test price update
  await eventService.publishPriceUpdate(
    'BTC-USDC',
    {
      price: 45000.50,
      change: 125.30,
      changePercent: 0.28,
      volume: 1234567.89,
      lastUpdated: Date.now()
    },
    {
      priority: 'high',
      source: 'test-service'
    }
  );
  
  // Test system alert
  await eventService.publishSystemAlert(
    {
      level: 'info',
      title: 'Test Alert',
      message: 'Hello from backend service!',
      category: 'test'
    },
    {
      priority: 'medium',
      source: 'test-service'
    }
  );
  
  await eventService.shutdown();
  console.log('Test events published successfully');
}

export { testEventPublishing };
