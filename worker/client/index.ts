/** The client SDK, for browsers and Node; the lowest versions are in README.md. The example is at `GatewayClient`. */
export type { Cursor, Times } from '../protocol/frames.ts';
export type { MaxRate } from '../protocol/messages.ts';
export { GatewayClient, type GatewayClientOptions } from './client.ts';
export type { ConnectionStatus } from './connection/connection-state.ts';
export type {
  Answer,
  PlatformOptions,
  Socket,
  SocketEvent,
  Surroundings,
} from './connection/platform.ts';
export { GatewayError } from './errors.ts';
export type {
  CustomNotification,
  EventInfo,
  EventOfRoom,
  EventOfType,
  EventsByType,
  GatewayEvent,
  OrderBookUpdate,
  PortfolioUpdate,
  PriceUpdate,
  SystemAlert,
  TradeNotification,
} from './events.ts';
export type { Gap } from './subscription/reader/cursor.ts';
export type { Received } from './subscription/reader/event-buffer.ts';
export type { Since } from './subscription/since.ts';
export type {
  SubscribeOptions,
  Subscription,
  SubscriptionHandlers,
} from './subscription/subscription.ts';
export type { Token } from './token.ts';
