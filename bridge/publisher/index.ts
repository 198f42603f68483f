/**
 * `@moonx-farm/websocket-gateway`: what a backend service imports to push events to the gateway's
 * clients. This is the one list of what is public.
 */
export { ConfigError } from '../../worker/protocol/environment/variables.ts';
export { DEXEventService } from './dex-event-service.ts';
export { PublishError, type PublishErrorCode } from './errors.ts';
export type {
  AlertData,
  Amount,
  DEXEvent,
  EventMetadata,
  Notification,
  NotificationEvent,
  NotificationTarget,
  OrderBookData,
  PortfolioData,
  Position,
  PriceData,
  SwapData,
  TradeData,
} from './events.ts';
export type { GatewayPost } from './http/gateway-sender.ts';
export { HttpEventProducer, type HttpProducerOptions } from './http/http-event-producer.ts';
export type { KafkaProducerOptions, PublisherLogger } from './kafka/kafka-client.ts';
export { KafkaEventProducer } from './kafka/kafka-event-producer.ts';
export { NotificationService, type NotificationServiceOptions } from './notification-service.ts';
export type { EventProducer, EventRecord, PublishRejection, PublishResult } from './producer.ts';
export type { PublisherOptions } from './publisher-options.ts';
export {
  NotificationQueue,
  type NotificationQueueOptions,
  type NotificationSender,
} from './queue/notification-queue.ts';
export { QueuedEventProducer } from './queue/queued-event-producer.ts';
export type { DropReason, QueueOptions } from './queue/retry-queue.ts';
export { sanitizeNotificationData } from './sanitize-notification-data.ts';
