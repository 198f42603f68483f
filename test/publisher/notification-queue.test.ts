import { describe, expect, test } from 'vitest';
import { PublishError, type PublishErrorCode } from '../../bridge/publisher/errors.ts';
import type { Notification } from '../../bridge/publisher/events.ts';
import {
  NotificationQueue,
  type NotificationQueueOptions,
} from '../../bridge/publisher/queue/notification-queue.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

/** The `n`th notification of `user`. */
const note = (user: string, n: number): Notification => ({
  type: 'note',
  target: { type: 'user', id: user },
  data: { n },
});
const nameOf = ({ target, data }: Notification) => `${target.id}${Reflect.get(data, 'n')}`;

/** A queue on a fake clock, what its service took and when, and what was dropped. */
function start(options: NotificationQueueOptions = {}) {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const sends: { at: number; names: string[] }[] = [];
  const taken: string[] = [];
  const dropped: string[] = [];
  let underWay = 0;
  const service = {
    mostAtOnce: 0,
    /** Refuses by name; a code for '*' fails the whole call. */
    refuse: new Map<string, PublishErrorCode>(),
    gate: Promise.resolve(),
    async publishNotifications(list: readonly Notification[]) {
      service.mostAtOnce = Math.max(service.mostAtOnce, ++underWay);
      sends.push({ at: clock.now() - startedAt, names: list.map(nameOf) });
      await service.gate;
      underWay--;
      const all = service.refuse.get('*');
      if (all !== undefined) throw new PublishError(all, 'scripted');
      const rejected = list.flatMap((notification, index) => {
        const code = service.refuse.get(nameOf(notification));
        if (code === undefined) taken.push(nameOf(notification));
        return code === undefined ? [] : [{ index, code, message: 'scripted' }];
      });
      return { accepted: list.length - rejected.length, rejected };
    },
  };
  const queue = new NotificationQueue(service, {
    now: clock.now,
    pause: clock.pause,
    random: () => 1,
    onDropped: (notification, { code }) => dropped.push(`${nameOf(notification)} ${code}`),
    ...options,
  });
  return { queue, service, clock, sends, taken, dropped };
}

describe('a notification that fails', () => {
  test('is tried again after 1, 2 and 4 s, then dropped with its reason', async () => {
    const { queue, service, clock, sends, dropped } = start();
    service.refuse.set('a1', 'internal');
    await queue.addNotification(note('a', 1));
    await clock.elapse(60_000);
    expect(sends.map(({ at }) => at)).toEqual([0, 1_000, 3_000, 7_000]);
    expect(dropped).toEqual(['a1 internal']);
    expect(queue.size).toBe(0);
  });

  test('blocks those behind it of its target, and no others', async () => {
    const { queue, service, clock, taken } = start();
    service.refuse.set('a1', 'internal');
    for (const item of [note('a', 1), note('a', 2), note('b', 1), note('b', 2)]) {
      await queue.addNotification(item);
    }
    await clock.elapse(500);
    expect(taken).toEqual(['b1', 'b2']);
    await queue.addNotification(note('c', 1));
    await settle();
    expect(taken).toEqual(['b1', 'b2', 'c1']);
    service.refuse.clear();
    await clock.elapse(600);
    expect(taken).toEqual(['b1', 'b2', 'c1', 'a1', 'a2']);
  });

  test.each(['data_invalid', 'type_invalid', 'event_too_large', 'permission_denied'] as const)(
    'for good (%s) is dropped at once',
    async (code) => {
      const { queue, service, clock, sends, dropped, taken } = start();
      service.refuse.set('a1', code);
      await queue.addNotification(note('a', 1));
      await queue.addNotification(note('a', 2));
      await clock.elapse(0);
      expect(dropped).toEqual([`a1 ${code}`]);
      expect(taken).toEqual(['a2']);
      expect(sends).toHaveLength(2);
    },
  );

  test('by an exception of the service is tried again as well', async () => {
    const { queue, service, clock, taken } = start();
    service.refuse.set('*', 'internal');
    await queue.addNotification(note('a', 1));
    await clock.elapse(500);
    service.refuse.clear();
    await clock.elapse(500);
    expect(taken).toEqual(['a1']);
  });
});

describe('an outage', () => {
  test.each(['kafka_unavailable', 'gateway_unavailable'] as const)(
    'of an hour (%s) uses up no retry, and ends within seconds',
    async (code) => {
      const { queue, service, clock, sends, taken, dropped } = start();
      service.refuse.set('*', code);
      for (let n = 0; n < 5; n++) await queue.addNotification(note('a', n));
      await clock.elapse(3_600_000);
      expect(sends.slice(0, 7).map(({ at }) => at)).toEqual([
        0, 250, 750, 1_750, 3_750, 7_750, 12_750,
      ]);
      service.refuse.clear();
      await clock.elapse(5_000);
      expect(taken).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
      expect(dropped).toEqual([]);
    },
  );

  test('leaves each notification the retries that it had', async () => {
    const { queue, service, clock, dropped } = start({ retries: 1 });
    service.refuse.set('a1', 'internal');
    await queue.addNotification(note('a', 1));
    await clock.elapse(0);
    service.refuse.set('*', 'kafka_unavailable');
    await clock.elapse(60_000);
    expect(dropped).toEqual([]);
    service.refuse.delete('*');
    await clock.elapse(5_000);
    expect(dropped).toEqual(['a1 internal']);
  });
});

describe('sending', () => {
  test('is in batches of at most 100, one at a time, each target once in each', async () => {
    const { queue, service, clock, sends, taken } = start();
    for (let n = 0; n < 3; n++) {
      for (let user = 0; user < 120; user++) await queue.addNotification(note(`u${user}-`, n));
    }
    await clock.elapse(0);
    expect(taken).toHaveLength(360);
    expect(service.mostAtOnce).toBe(1);
    for (const { names } of sends) expect(names.length).toBeLessThanOrEqual(100);
    expect(sends).toHaveLength(4);
    for (let user = 0; user < 120; user++) {
      const own = taken.filter((name) => name.startsWith(`u${user}-`));
      expect(own).toEqual([`u${user}-0`, `u${user}-1`, `u${user}-2`]);
    }
  });

  test('adds the time at which a notification was queued', async () => {
    const clock = new VirtualClock(5);
    const got: unknown[] = [];
    const queue = new NotificationQueue(
      {
        publishNotifications: async (list) => {
          got.push(...list.map(({ timestamp }) => timestamp));
          return { accepted: list.length, rejected: [] };
        },
      },
      { now: clock.now, pause: clock.pause },
    );
    await queue.addNotification(note('a', 1));
    await queue.addNotification({ ...note('b', 1), timestamp: 3 });
    await clock.elapse(100);
    expect(got).toEqual([5, 3]);
  });
});

describe('the bound', () => {
  test('drops and reports the newcomer, and nothing else', async () => {
    const { queue, service, clock, taken, dropped } = start({ maxSize: 3 });
    service.refuse.set('*', 'kafka_unavailable');
    for (let n = 0; n < 5; n++) await queue.addNotification(note('a', n));
    expect(queue.size).toBe(3);
    expect(dropped).toEqual(['a3 queue_full', 'a4 queue_full']);
    service.refuse.clear();
    await clock.elapse(10_000);
    expect(taken).toEqual(['a0', 'a1', 'a2']);
  });

  test('an onDropped that fails hurts nothing', async () => {
    for (const onDropped of [
      () => {
        throw new Error('no');
      },
      () => Promise.reject(new Error('no')),
    ]) {
      const { queue, service, clock, taken } = start({ maxSize: 2, onDropped });
      service.refuse.set('a1', 'data_invalid');
      for (let n = 1; n < 4; n++) await queue.addNotification(note('a', n));
      await clock.elapse(0);
      expect(taken).toEqual(['a2']);
    }
  });
});

describe('the end', () => {
  test('drain waits until all is sent, or for its time', async () => {
    const { queue, service, clock } = start();
    service.refuse.set('*', 'kafka_unavailable');
    await queue.addNotification(note('a', 1));
    const ends: boolean[] = [];
    void queue.drain({ timeoutMs: 1_000 }).then((empty) => ends.push(empty));
    await clock.elapse(999);
    expect(ends).toEqual([]);
    await clock.elapse(1);
    expect(ends).toEqual([false]);
    void queue.drain().then((empty) => ends.push(empty));
    service.refuse.clear();
    await clock.elapse(5_000);
    expect(ends).toEqual([false, true]);
    expect(await queue.drain()).toBe(true);
  });

  test('shutdown sends what it can, and reports the rest and whatever comes after', async () => {
    const { queue, service, clock, taken, dropped } = start();
    await queue.addNotification(note('a', 1));
    await clock.elapse(0);
    service.refuse.set('*', 'kafka_unavailable');
    for (const n of [2, 3]) await queue.addNotification(note('a', n));
    let ended = false;
    void queue.shutdown({ timeoutMs: 2_000 }).then(() => {
      ended = true;
    });
    await clock.elapse(0);
    await queue.addNotification(note('b', 1));
    expect(dropped).toEqual(['b1 queue_closed']);
    await clock.elapse(2_000);
    expect(ended).toBe(true);
    expect(taken).toEqual(['a1']);
    expect(dropped).toEqual(['b1 queue_closed', 'a2 queue_closed', 'a3 queue_closed']);
    expect(queue.size).toBe(0);
    service.refuse.clear();
    await clock.elapse(60_000);
    expect(taken).toEqual(['a1']);
  });

  test('a send that outlasts the shutdown is reported once, whatever comes of it', async () => {
    const { queue, service, clock, dropped } = start();
    let open = () => {};
    service.gate = new Promise((resolve) => {
      open = resolve;
    });
    service.refuse.set('a1', 'data_invalid');
    await queue.addNotification(note('a', 1));
    const ended = queue.shutdown({ timeoutMs: 100 });
    await clock.elapse(100);
    await ended;
    open();
    await clock.elapse(60_000);
    expect(dropped).toEqual(['a1 queue_closed']);
  });
});
