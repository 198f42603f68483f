/** Whatever a caller hands over: it is refused by a code, and costs nobody else anything. */
import { describe, expect, test, vi } from 'vitest';
import { PublishError } from '../../bridge/publisher/errors.ts';
import {
  HttpEventProducer,
  KafkaEventProducer,
  NotificationQueue,
  NotificationService,
} from '../../bridge/publisher/index.ts';
import { encodeEvent } from '../../bridge/publisher/outbox/encode-event.ts';
import { PERMISSION_TIMEOUT_MS, permissionTurns } from '../../bridge/publisher/permission.ts';
import { DEVELOPMENT_PUBLISHER_SECRET } from '../../worker/protocol/environment/development.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { takeAll } from './fake-gateway.ts';

/** What a caller without types may pass. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point.
type Odd = any;

const price = (data: object, more: object = {}) => ({
  type: 'price_update',
  symbol: 'A',
  data: { price: 1, ...data },
  timestamp: 1,
  ...more,
});
const fails = (error: unknown) => () => {
  throw error;
};
const outage = new PublishError('kafka_unavailable', 'thrown by a member');

async function connectHttp(): Promise<HttpEventProducer> {
  const producer = new HttpEventProducer({ secret: DEVELOPMENT_PUBLISHER_SECRET, fetch: takeAll });
  await producer.connect();
  return producer;
}

describe('an event', () => {
  test('is keyed by its target on the topic notifications only', () => {
    const stray = { target: { id: 'stray' } };
    expect(encodeEvent('price.updates', price({}, stray), 0)).toMatchObject({ key: 'A' });
    const alert = {
      type: 'system_alert',
      data: { level: 'info', title: 't', message: 'm' },
      timestamp: 1,
      ...stray,
    };
    expect(encodeEvent('system.alerts', alert, 0)).toMatchObject({ key: 'system' });
    const targeted = { type: 'a', target: { type: 'user', id: 'u' }, symbol: 'A', data: {} };
    expect(encodeEvent('notifications', targeted, 0)).toMatchObject({ key: 'u' });
  });

  test.each([
    ['a PublishError', { toJSON: fails(outage) }],
    ['nothing', { toJSON: fails(undefined) }],
  ])('of which a member throws %s is data_invalid', (_, member) => {
    expect(encodeEvent('price.updates', price({ member }), 0)).toMatchObject({
      code: 'data_invalid',
      retry: false,
    });
  });

  test.each([[Symbol('t')], [null], [undefined], [1n], [{ toJSON: fails(new Error()) }]])(
    'by the topic %s is topic_unknown',
    (topic: Odd) => {
      expect(encodeEvent(topic, price({}), 0)).toMatchObject({ code: 'topic_unknown' });
    },
  );
});

describe('a list', () => {
  test('with holes, nulls and values that are not records costs no good record', async () => {
    const producer = await connectHttp();
    const topic = 'price.updates';
    const list: Odd = new Array(1).concat([
      null,
      5,
      { topic: 5 },
      { topic, event: price({}) },
      { topic },
    ]);
    const { accepted, rejected } = await producer.publishEvents(list);
    expect(accepted).toBe(1);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [0, 'event_not_object'],
      [1, 'event_not_object'],
      [2, 'event_not_object'],
      [3, 'topic_unknown'],
      [5, 'event_not_object'],
    ]);
    expect(await producer.publishEvents(new Array(3))).toMatchObject({
      accepted: 0,
      rejected: { length: 3 },
    });
  });

  test.each([[null], [undefined], [{ length: 2 }], ['ab']])(
    'that is %s is a PublishError',
    async (list: Odd) => {
      const refused = expect.objectContaining({ name: 'PublishError', code: 'batch_malformed' });
      const producer = await connectHttp();
      await expect(producer.publishEvents(list)).rejects.toEqual(refused);
      const service = new NotificationService({ producer });
      await expect(service.publishNotifications(list)).rejects.toEqual(refused);
    },
  );

  test('of notifications: each odd one is refused by itself, and none is an outage', async () => {
    const service = new NotificationService({ producer: await connectHttp() });
    const target = { type: 'user', id: 'u' };
    const list: Odd = new Array(6);
    list[1] = null;
    list[2] = { type: 'a', target };
    list[3] = { type: 'a', target: { type: Symbol('user') }, data: {} };
    list[4] = { type: 'a', target, data: { toJSON: fails(outage) } };
    list[5] = { type: 'a', target, data: {} };
    const { accepted, rejected } = await service.publishNotifications(list);
    expect(accepted).toBe(1);
    expect(rejected.map(({ code }) => code)).toEqual([
      'event_not_object',
      'event_not_object',
      'data_invalid',
      'target_invalid',
      'data_invalid',
    ]);
  });
});

describe('a queue', () => {
  const odd: [string, Odd, string][] = [
    ['a Symbol id', { type: 'user', id: Symbol('u') }, 'target_invalid'],
    ['an id without a prototype', { type: 'user', id: Object.create(null) }, 'target_invalid'],
    ['no prototype', Object.create(null), 'target_invalid'],
    ['null', null, 'target_invalid'],
  ];
  test.each(odd)('drops a target that is or has %s, and goes on', async (_, target, code) => {
    const clock = new VirtualClock(5);
    const dropped: string[] = [];
    const sent: Odd[] = [];
    const queue = new NotificationQueue(
      {
        publishNotifications: async (list) => {
          sent.push(...list);
          return { accepted: list.length, rejected: [] };
        },
      },
      { now: clock.now, pause: clock.pause, onDropped: (_, reason) => dropped.push(reason.code) },
    );
    await queue.addNotification({ type: 'a', target, data: {} });
    await queue.addNotification(null as Odd);
    await queue.addNotification({
      type: 'a',
      target: { type: 'all' },
      data: {},
      timestamp: undefined,
    });
    await clock.elapse(0);
    expect(dropped).toEqual([code, 'target_invalid']);
    expect(sent).toEqual([{ type: 'a', target: { type: 'all' }, data: {}, timestamp: 5 }]);
  });
});

test('a question about permission that is never answered is permission_unknown after a while', async () => {
  const clock = new VirtualClock();
  const ask = vi.fn(
    (_: string, type: string) => type === 'quick' || new Promise<boolean>(() => {}),
  );
  const permit = permissionTurns(ask, clock.pause);
  const outcomes: string[] = [];
  const note = (name: string, answer: Promise<void>) =>
    void answer.then(
      () => outcomes.push(name),
      (error) => outcomes.push(`${name} ${error.code} ${error.retry}`),
    );
  note('first', permit('u', 'slow'));
  note('second', permit('u', 'quick'));
  note('other', permit('v', 'quick'));
  await clock.elapse(PERMISSION_TIMEOUT_MS - 1);
  expect(outcomes).toEqual(['other']);
  await clock.elapse(1);
  expect(outcomes.sort()).toEqual(['first permission_unknown true', 'other', 'second']);
});

test.each([[[]], [['']], [['localhost']], [[' ']], [['a:1', 5]]])(
  'brokers %j are a ConfigError',
  (brokers: Odd) => {
    expect(() => new KafkaEventProducer({ brokers }, {})).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('BROKERS'),
      }),
    );
  },
);
