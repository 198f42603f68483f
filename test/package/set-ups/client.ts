// A client as any compiler has to take it, in a page or in a service.
import {
  type EventOfRoom,
  GatewayClient,
  GatewayError,
  type PriceUpdate,
  type SubscribeOptions,
} from '@moonx-farm/websocket-gateway/client';

export async function follow(): Promise<number | string | undefined> {
  const client = new GatewayClient({ url: 'wss://gateway.example', token: async () => '' });
  client.on('error', (error) => console.log(error instanceof GatewayError, error.code.length));
  client.on('system_alert', ({ data }) => console.log(data.title.length));
  const options: SubscribeOptions<EventOfRoom<'trade:BTC-USDC'>> = {
    onEvent: (event, { seq }) => console.log(event.data.side === 'buy', seq + 1),
    maxRate: 5,
  };
  const trades = client.subscribe('trade:BTC-USDC', options);
  // @ts-expect-error A subscription's place is only to be read.
  trades.cursor = undefined;
  for await (const { event, seq } of client.subscribe('price:BTC-USDC')) {
    const price: PriceUpdate = event;
    // @ts-expect-error A price update has no such field.
    event.nothing;
    if (seq > 1) return price.data.price;
  }
  return undefined;
}
