import { expect, test } from 'vitest';
import { Consumption } from '../../bridge/consumption.ts';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import type { Delivery } from '../../bridge/delivery/delivery.ts';
import { Metrics } from '../../bridge/metrics.ts';
import { Readiness } from '../../bridge/readiness.ts';
import { createLog } from '../../bridge/shared/log.ts';
import { PARTITION } from './records.ts';

const { topic, partition } = PARTITION;

/** A consumption of one partition, with the offsets that Kafka answers and a clock. */
function consume() {
  const readiness = new Readiness();
  const kafka = { position: '-1', stable: '0', end: '0', nowMs: 0, asked: () => {} };
  let isEnd = false;
  const admin = {
    fetchOffsets: async () => {
      const { position: offset } = kafka;
      return [{ topic, partitions: [{ partition, offset, metadata: null }] }];
    },
    // The last stable offset is asked for first, and then the end.
    fetchTopicOffsets: async () => {
      kafka.asked();
      const high = isEnd ? kafka.end : kafka.stable;
      isEnd = !isEnd;
      return [{ partition, offset: high, high, low: '0' }];
    },
  };
  const metrics = new Metrics(() => readiness.ready);
  const consumption = new Consumption(
    {
      groupId: 'group',
      consumer: { pause: () => undefined, resume: () => undefined, commit: async () => undefined },
      batcher: new Batcher('cluster'),
      delivery: { deliver: async () => true } as unknown as Delivery,
      admin,
      metrics,
      readiness,
      log: createLog('silent'),
      bufferBytes: 1_000_000,
    },
    () => kafka.nowMs,
  );
  consumption.assigned([PARTITION]);
  const gauge = async (name: string) => {
    const [line] = (await metrics.registry.getSingleMetricAsString(name)).match(/ \d+$/m) ?? [];
    return line === undefined ? undefined : Number(line);
  };
  return { consumption, admin, kafka, readiness, gauge };
}

test('lag is measured to the end of the log and to the last stable offset', async () => {
  const { consumption, admin, kafka, gauge } = consume();
  Object.assign(kafka, { position: '3', stable: '5', end: '12' });
  await consumption.inspect(admin);
  expect(await gauge('bridge_consumer_lag')).toBe(9);
  expect(await gauge('bridge_consumer_stable_lag')).toBe(2);
});

test('an open transaction makes the bridge unready once it stands still, and no longer than that', async () => {
  const { consumption, admin, kafka, readiness, gauge } = consume();
  const problem = `transaction ${topic}/${partition}`;
  const at = async (seconds: number, stable: string, end: string) => {
    Object.assign(kafka, { stable, end, nowMs: seconds * 1000 });
    await consumption.inspect(admin);
    return [await gauge('bridge_open_transaction_seconds'), readiness.problems[problem]];
  };
  expect(await at(0, '5', '9')).toEqual([0, undefined]);
  expect(await at(29, '5', '30')).toEqual([29, undefined]);
  // Another transaction is open now, which is no sign of one that hangs.
  expect(await at(40, '20', '40')).toEqual([0, undefined]);
  expect(await at(70, '20', '90')).toEqual([30, 'transaction_open']);
  expect(await at(75, '90', '90')).toEqual([0, undefined]);
  // A partition that is idle stands still without anything behind it.
  expect(await at(500, '90', '90')).toEqual([0, undefined]);
});

test('an open transaction is no problem of a bridge that no longer has the partition', async () => {
  const { consumption, admin, kafka, readiness } = consume();
  Object.assign(kafka, { stable: '5', end: '9' });
  await consumption.inspect(admin);
  kafka.nowMs = 60_000;
  await consumption.inspect(admin);
  expect(readiness.ready).toBe(false);
  consumption.assigned([]);
  expect(readiness.ready).toBe(true);
});

test('a position that stands still before records makes the bridge unready, whatever the cause', async () => {
  const { consumption, admin, kafka, readiness } = consume();
  const at = async (seconds: number, position: string, end: string) => {
    Object.assign(kafka, { position, stable: end, end, nowMs: seconds * 1000 });
    await consumption.inspect(admin);
    return readiness.problems[`position ${topic}/${partition}`];
  };
  expect(await at(0, '5', '5')).toBeUndefined();
  // It is idle, and the records that come then are new.
  expect(await at(500, '5', '9')).toBeUndefined();
  expect(await at(559, '5', '20')).toBeUndefined();
  expect(await at(560, '5', '30')).toBe('position_stalled');
  // It is slow, which its lag says.
  expect(await at(565, '6', '40')).toBeUndefined();
  expect(await at(630, '6', '40')).toBe('position_stalled');
  consumption.close();
  expect(readiness.ready).toBe(true);
});

test('a position that is committed while Kafka is asked is not missed', async () => {
  const { consumption, admin, kafka } = consume();
  const earlier = { fetchOffsets: async () => [] };
  kafka.asked = () => {
    kafka.position = '1';
    void consumption.prepare(admin, [topic]);
  };
  expect(await consumption.inspect({ ...admin, ...earlier })).toBe(true);
  // It is known by now, so a position that is gone is missed.
  kafka.asked = () => undefined;
  expect(await consumption.inspect({ ...admin, ...earlier })).toBe(false);
});
