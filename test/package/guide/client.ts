// A client of the package: prints the first two prices of a room, whether shown or sent.
import { GatewayClient } from '@moonx-farm/websocket-gateway/client';

async function main(): Promise<void> {
  const client = new GatewayClient({
    url: process.argv[2] ?? '',
    token: async () => process.argv[3] ?? '',
  });
  const prices: (number | string)[] = [];
  for await (const { event } of client.subscribe('price:BTC-USDC')) {
    prices.push(event.data.price);
    if (prices.length === 2) break;
  }
  client.close();
  console.log(prices.join(' '));
}

void main();
