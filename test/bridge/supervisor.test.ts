import type { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import type { Consumption } from '../../bridge/consumption.ts';
import type { Topics } from '../../bridge/kafka/topics.ts';
import { Readiness } from '../../bridge/readiness.ts';
import { createLog } from '../../bridge/shared/log.ts';
import { Supervisor } from '../../bridge/supervisor.ts';

const nothing = async () => {};
/** A Kafka that lets every client in, and says nothing more. */
const KAFKA = {
  admin: () => ({ connect: nothing, disconnect: nothing, describeCluster: async () => ({}) }),
  producer: () => ({ connect: nothing, disconnect: nothing }),
  consumer: () => ({
    events: {},
    on: () => {},
    connect: nothing,
    subscribe: nothing,
    run: nothing,
    disconnect: nothing,
  }),
} as unknown as Kafka;
const TOPICS_THERE = {
  survey: async () => ({ readable: ['t'], missing: [], refusal: undefined }),
} as unknown as Topics;

/** What the readiness page says of Kafka after each inspection, of which each ends in an error or well. */
async function inspect(...errors: (string | undefined)[]): Promise<(string | undefined)[]> {
  const readiness = new Readiness();
  const told: (string | undefined)[] = [];
  const inspections = [...errors];
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const consumption = {
    prepare: nothing,
    finish: nothing,
    close: () => {},
    async inspect() {
      const type = inspections.shift();
      if (type !== undefined) throw Object.assign(new Error(type), { type });
      return true;
    },
  } as unknown as Consumption;
  const supervisor = new Supervisor({
    kafka: KAFKA,
    topics: TOPICS_THERE,
    source: { brokers: ['one:9092'], topicPrefix: '' },
    consumer: { groupId: 'group', sessionTimeoutMs: 10_000 },
    readiness,
    log: createLog('silent'),
    consumption: () => consumption,
    rebuilt: () => {},
    pause: async () => {
      await new Promise(setImmediate);
      if (told.length < errors.length) told.push(readiness.problems.kafka);
      else end();
    },
  });
  supervisor.start();
  await isOver;
  await supervisor.stop();
  return told;
}

test('a leader that has just moved is not reported as a trouble of Kafka', async () => {
  expect(await inspect('NOT_LEADER_FOR_PARTITION', undefined)).toEqual([undefined, undefined]);
  expect(await inspect('LEADER_NOT_AVAILABLE', undefined)).toEqual([undefined, undefined]);
});

test('a leader that stays unknown is reported', async () => {
  const type = 'LEADER_NOT_AVAILABLE';
  expect(await inspect(type, type, undefined, type)).toEqual([
    undefined,
    type,
    undefined,
    undefined,
  ]);
});

test('any other error is reported at once, until it is over', async () => {
  const type = 'GROUP_AUTHORIZATION_FAILED';
  expect(await inspect(type, undefined)).toEqual([type, undefined]);
});
