/** What `disconnect` and `shutdown` leave behind, whenever they are called. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  DEXEventService,
  HttpEventProducer,
  KafkaEventProducer,
  NotificationService,
} from '../../bridge/publisher/index.ts';
import { ProducerLife } from '../../bridge/publisher/kafka/producer-life.ts';
import { DEVELOPMENT_PUBLISHER_SECRET } from '../../worker/protocol/environment/development.ts';
import { settle } from '../support/virtual-clock.ts';
import { takeAll } from './fake-gateway.ts';

const notConnected = expect.objectContaining({ code: 'not_connected' });
const event = { type: 'price_update', symbol: 'A', data: { price: 1 }, timestamp: 1 };
const options = { brokers: ['localhost:1'] };

/** Sessions that are opened when the test says so, and how many are open. */
const sessions = { open: 0, opened: 0, finish: [] as (() => void)[] };
beforeEach(() => {
  Object.assign(sessions, { open: 0, opened: 0, finish: [] });
  const spy = vi.spyOn(ProducerLife, 'open').mockImplementation(
    () =>
      new Promise((resolve) => {
        sessions.finish.push(() => {
          sessions.open++;
          sessions.opened++;
          const close = async () => {
            sessions.open--;
          };
          resolve({ close } as ProducerLife);
        });
      }),
  );
  onTestFinished(() => spy.mockRestore());
});

test('disconnect during connect: nothing stays open, and connect says so', async () => {
  const producer = new KafkaEventProducer(options, {});
  const connected = expect(producer.connect()).rejects.toEqual(notConnected);
  await settle();
  const disconnected = producer.disconnect();
  sessions.finish.shift()?.();
  await Promise.all([connected, disconnected]);
  expect(sessions).toMatchObject({ open: 0, opened: 1 });
  await expect(producer.publishEvent('price.updates', event)).rejects.toEqual(notConnected);
});

test('shutdown during initialize as well', async () => {
  const service = new DEXEventService({ kafka: options });
  const initialized = expect(service.initialize()).rejects.toEqual(notConnected);
  await settle();
  const ended = service.shutdown();
  sessions.finish.shift()?.();
  await Promise.all([initialized, ended]);
  expect(sessions.open).toBe(0);
  await expect(service.publishPriceUpdate('A', { price: 1 })).rejects.toEqual(notConnected);
});

test('connect after disconnect has a session of its own, and a later disconnect ends it too', async () => {
  const producer = new KafkaEventProducer(options, {});
  const first = expect(producer.connect()).rejects.toEqual(notConnected);
  await settle();
  const ended = producer.disconnect();
  const again = producer.connect();
  sessions.finish.shift()?.();
  await Promise.all([first, ended]);
  await settle();
  sessions.finish.shift()?.();
  await again;
  expect(sessions).toMatchObject({ open: 1, opened: 2 });
  await producer.disconnect();
  expect(sessions.open).toBe(0);
});

test('over HTTP too', async () => {
  const producer = new HttpEventProducer({ secret: DEVELOPMENT_PUBLISHER_SECRET, fetch: takeAll });
  const connected = expect(producer.connect()).rejects.toEqual(notConnected);
  await producer.disconnect();
  await connected;
  await expect(producer.publishEvent('price.updates', event)).rejects.toEqual(notConnected);
});

test('the notification service sends what was asked for before shutdown, and nothing after', async () => {
  const log: string[] = [];
  let answer = (_: boolean) => {};
  const service = new NotificationService({
    producer: {
      connect: async () => void log.push('connect'),
      publishEvent: async (_, { type }) => void log.push(type),
      publishEvents: async (records) => {
        log.push(...records.map((record) => record.event.type));
        return { accepted: records.length, rejected: [] };
      },
      disconnect: async () => {},
    },
    hasNotificationPermission: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  const target = { type: 'all' };
  const published = [
    service.notifyUser('u', 'asked', {}),
    service.publishNotifications(
      Array.from({ length: 150 }, (_, n) => ({ type: `n_${n}`, target, data: {} })),
    ),
  ];
  const ended = service.shutdown().then(() => log.push('ended'));
  await expect(service.notifyRoom('r', 'c', 'late', {})).rejects.toEqual(notConnected);
  expect(await service.publishNotifications([{ type: 'late', target, data: {} }])).toEqual({
    accepted: 0,
    rejected: [expect.objectContaining({ index: 0, code: 'not_connected' })],
  });
  await settle();
  expect(log).not.toContain('ended');
  answer(true);
  await Promise.all([...published, ended]);
  expect(log.filter((entry) => entry.startsWith('n_'))).toHaveLength(150);
  expect(log).toContain('asked');
  expect(log).not.toContain('late');
  expect(log.at(-1)).toBe('ended');
});
