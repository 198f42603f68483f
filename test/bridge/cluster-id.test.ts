/** Clusters whose id cannot be the source of a batch, before a Worker that reads batches as ours does. */
import type { Kafka } from 'kafkajs';
import { afterEach, describe, expect, vi } from 'vitest';
import { readBatch } from '../../worker/protocol/batch/read-batch.ts';
import { numbered } from './cluster.ts';
import { errorBody } from './fake-worker.ts';
import { test } from './fixture.ts';

const told = vi.hoisted(() => ({ clusterId: undefined as unknown }));

vi.mock('../../bridge/kafka/client.ts', async (original) => {
  const client = await original<typeof import('../../bridge/kafka/client.ts')>();
  return {
    ...client,
    createKafka: (...options: Parameters<typeof client.createKafka>) =>
      rename(client.createKafka(...options)),
  };
});

/** The cluster as it is, but for its id. */
function rename(kafka: Kafka): Kafka {
  const open = kafka.admin.bind(kafka);
  kafka.admin = (config) => {
    const admin = open(config);
    const { describeCluster } = admin;
    admin.describeCluster = async () => ({
      ...(await describeCluster()),
      clusterId: told.clusterId as string,
    });
    return admin;
  };
  return kafka;
}

afterEach(() => {
  told.clusterId = undefined;
});

describe('a cluster that has no id, or one that is too long', () => {
  test.for([
    ['null', null],
    ['an empty id', ''],
    ['an id of 74 characters', 'c'.repeat(74)],
    ['an id of signs', '"\\\u0000'],
  ] as const)('%s is read like any other', async ([, clusterId], { cluster, worker, run }) => {
    told.clusterId = clusterId;
    const topic = await cluster.createTopic();
    worker.behave = (batch) => {
      const reading = readBatch(new TextEncoder().encode(JSON.stringify(batch)));
      if (reading.kind !== 'refused') return { kind: 'append' };
      return { kind: 'answer', status: 400, body: errorBody(reading.code) };
    };
    await cluster.produce(topic, numbered(40));
    await run([topic]);
    expect(await worker.arrival(topic, 40)).toHaveLength(40);
    expect(await cluster.countDeadLetters(topic)).toBe(0);
  });
});
