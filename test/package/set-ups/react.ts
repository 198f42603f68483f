// The hooks as any compiler has to take them: what a room's events are is told by its name.

import {
  type EventOfRoom,
  GatewayClient,
  type GatewayEvent,
  type PriceUpdate,
  type TradeNotification,
} from '@moonx-farm/websocket-gateway/client';
import {
  GatewayProvider,
  type RoomState,
  useGatewayClient,
  useGatewayStatus,
  useLatest,
  useRoom,
} from '@moonx-farm/websocket-gateway/react';
import { createElement } from 'react';

const client = new GatewayClient({ url: 'wss://gateway.example' });

export const app = createElement(
  GatewayProvider,
  { client },
  createElement(Screen, { symbol: 'a' }),
);

function Screen({ symbol, userId }: { symbol: string; userId?: string | null }): null {
  const price: PriceUpdate | undefined = useLatest('price:BTC-USDC');
  const other: PriceUpdate | undefined = useLatest(`price:${symbol}`, { maxRate: 5 });
  const tape: RoomState<TradeNotification> = useRoom(`trade:${symbol}`, {
    keep: 50,
    onEvent: (event, { seq }) => console.log(event.data.side === 'buy', seq + 1),
    onGap: ({ from, to, reason, room }) => console.log(from - to, reason.length, room.length),
  });
  const all: ReadonlyMap<string, PriceUpdate> = useRoom('price_updates').bySymbol;
  const mine: EventOfRoom<'user:a'> | undefined = useLatest(userId ? `user:${userId}` : null);
  const any: GatewayEvent | undefined = useLatest(symbol);
  const { status, gaps, cursor } = tape;
  const isLive: boolean = useGatewayStatus() === 'open' && status.state === 'open';
  const same: GatewayClient = useGatewayClient();
  // @ts-expect-error A price update has no such field.
  price?.nothing;
  // @ts-expect-error A trade is no price update.
  const wrong: PriceUpdate | undefined = tape.latest;
  // @ts-expect-error There is no such rate.
  useRoom('system', { maxRate: 3 });
  console.log(
    price?.data.price,
    other,
    all.size,
    mine?.type,
    any,
    gaps,
    cursor?.seq,
    isLive,
    same,
    wrong,
  );
  return null;
}
