// A backend service as any compiler has to take it.
import {
  type AlertData,
  DEXEventService,
  type GatewayPost,
  HttpEventProducer,
  KafkaEventProducer,
  NotificationQueue,
  NotificationService,
  type OrderBookData,
  PublishError,
  type PublisherOptions,
  sanitizeNotificationData,
} from '@moonx-farm/websocket-gateway';

export async function publish(post: GatewayPost): Promise<string | undefined> {
  const options: PublisherOptions = { kafka: { brokers: ['localhost:9092'], ssl: true } };
  const events = new DEXEventService(options);
  const book: OrderBookData = { bids: [['45000.50', 1]], asks: [[45001, '0.5']] };
  const alert: AlertData = { level: 'info', title: 'Hello', message: 'World' };
  await events.publishPriceUpdate('BTC-USDC', { price: 1n, own: 'field' }, { priority: 'high' });
  await events.publishOrderBookUpdate('BTC-USDC', book);
  await events.publishSystemAlert(alert);
  // @ts-expect-error A price is no list.
  await events.publishPriceUpdate('BTC-USDC', { price: [] });

  const notifications = new NotificationService({
    producer: new HttpEventProducer({
      url: 'http://localhost:3007',
      secret: 'whsec_',
      fetch: post,
    }),
  });
  const queue = new NotificationQueue(notifications, {
    onDropped: ({ type }, { code }) => console.log(type.length, code.length),
  });
  const data = sanitizeNotificationData({ swapId: 'swap-1' });
  await queue.addNotification({ type: 'swap_completed', target: { type: 'all' }, data });
  const producer = new KafkaEventProducer();
  try {
    const { rejected } = await producer.publishEvents([]);
    return rejected[0]?.message;
  } catch (error) {
    if (error instanceof PublishError && error.retry) return error.code;
    throw error;
  }
}
