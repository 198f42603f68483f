// Publishes to a room that the guide's examples leave alone, without Kafka.
import { DEXEventService } from '@moonx-farm/websocket-gateway';

async function main(): Promise<void> {
  const events = new DEXEventService({ http: {} });
  await events.initialize();
  await events.publishOrderBookUpdate('ETH-USDC', { bids: [], asks: [['2500.0', '1']] });
  await events.shutdown();
  console.log('taken');
}

void main();
