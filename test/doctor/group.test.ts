/** Whether a consumer group is the bridge's alone. */
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { judgeGroup } from '../../bridge/doctor/checks/group.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { startFakeWorker } from '../bridge/fake-worker.ts';
import { runBridge } from '../bridge/running-bridge.ts';
import { type JavaClient, startJavaClient } from '../support/java-client.ts';
import { createTopic, kafka, produce, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { diagnose } from './diagnosis.ts';

async function topicOfItsOwn(): Promise<string> {
  const topic = uniqueName('topic');
  for (const name of [topic, `${topic}.dlq`]) await createTopic(name);
  return topic;
}

const look = async (topic: string, groupId: string) => {
  const { troubles, said } = await diagnose({
    KAFKA_BROKERS: inject('kafkaBrokers').join(),
    KAFKA_TOPICS: topic,
    KAFKA_TOPICS_VERIFY: 'false',
    KAFKA_GROUP_ID: groupId,
    WEBSOCKET_GATEWAY_URL: 'http://127.0.0.1:1',
    INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
  });
  const ofGroup = troubles.filter((trouble) => trouble.startsWith('kafka.'));
  return { troubles: ofGroup, said: said('kafka.group') };
};

/** A consumer that has joined. */
async function join(groupId: string, topic: string, assigner?: string): Promise<void> {
  const roundRobin = kafkajs.PartitionAssigners.roundRobin;
  const consumer = kafka().consumer({
    groupId,
    ...(assigner === undefined
      ? {}
      : {
          partitionAssigners: [
            (config) => {
              const parts = roundRobin(config);
              const protocol: typeof parts.protocol = (subscription) => ({
                ...parts.protocol(subscription),
                name: assigner,
              });
              return { ...parts, name: assigner, protocol };
            },
          ],
        }),
  });
  const joined = Promise.withResolvers<void>();
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ eachMessage: async () => {} });
  await joined.promise;
}

describe('a group', () => {
  test('of a bridge is fine, and its lag is reported', async () => {
    const topic = await topicOfItsOwn();
    const worker = await startFakeWorker();
    onTestFinished(() => worker.stop());
    const bridge = await runBridge(worker, [topic]);
    onTestFinished(() => bridge.stop());
    await produce(topic, [{ value: '{}' }, { value: '{}' }]);
    await until('both delivered and committed', async () =>
      /1 member; it is 0 records behind\./.test((await look(topic, bridge.groupId)).said),
    );
    await bridge.stop();
    await produce(topic, [{ value: '{}' }]);
    const { troubles, said } = await look(topic, bridge.groupId);
    expect(troubles).toEqual([]);
    expect(said).toMatch(/is Empty, with 0 members; it is 1 records? behind\./);
  });

  test('whose members read something else is not for a bridge', async () => {
    const topic = await topicOfItsOwn();
    const group = uniqueName('group');
    await join(group, await topicOfItsOwn());
    const { troubles, said } = await look(topic, group);
    expect(troubles).toEqual(['kafka.group: group_foreign']);
    expect(said).toMatch(/read other topics: test at .*KAFKA_GROUP_ID/s);
  });

  test('whose members share partitions in another way is not for a bridge', async () => {
    const topic = await topicOfItsOwn();
    const group = uniqueName('group');
    await join(group, topic, 'range');
    const { troubles, said } = await look(topic, group);
    expect(troubles).toEqual(['kafka.group: group_foreign']);
    expect(said).toMatch(/by range/);
  });

  describe("with Kafka's own consumer in it", () => {
    let java: JavaClient;
    beforeAll(async () => {
      java = await startJavaClient();
    });
    afterAll(() => java.stop());

    test('that has a fixed identity is not for a bridge, and the reason is reported', async () => {
      const topic = await topicOfItsOwn();
      const group = uniqueName('group');
      await java.run('join', group, topic, 'classic', 'instance-1');
      const { troubles, said } = await look(topic, group);
      expect(troubles).toEqual(['kafka.group: group_foreign', 'kafka.group: group_static']);
      expect(said).toMatch(/by range: java at .*fixed identity: java at /s);
    });

    test('that has no fixed identity is not reported as having one', async () => {
      const topic = await topicOfItsOwn();
      const group = uniqueName('group');
      await java.run('join', group, topic, 'classic');
      expect((await look(topic, group)).troubles).toEqual(['kafka.group: group_foreign']);
    });

    test('that joins by the newer protocol is not for a bridge', async () => {
      const topic = await topicOfItsOwn();
      const group = uniqueName('group');
      await java.run('join', group, topic, 'consumer');
      const { troubles, said } = await look(topic, group);
      expect(troubles).toEqual(['kafka.group: group_foreign']);
      expect(said).toMatch(/KIP-848.*KAFKA_GROUP_ID/s);
    });
  });

  const member = { clientHost: '/10.0.0.1', memberMetadata: Buffer.alloc(0) };

  test('with a member of a fixed identity is reported, by the name that Kafka gives such a member', () => {
    const dynamic = { ...member, clientId: 'bridge', memberId: 'bridge-6f1c' };
    const fixed = { ...member, clientId: 'other', memberId: 'instance-1-6f1c' };
    const group = { state: 'Stable', protocolType: 'consumer', protocol: 'RoundRobinAssigner' };
    expect(judgeGroup({ ...group, members: [dynamic] }, ['a'])).toEqual([]);
    expect(judgeGroup({ ...group, members: [dynamic, fixed] }, ['a'])).toMatchObject([
      { status: 'warning', code: 'group_static', message: expect.stringContaining('other at') },
    ]);
  });

  test('of anything but consumers is not for a bridge', () => {
    const group = { state: 'Stable', protocolType: 'connect', protocol: 'sessioned', members: [] };
    expect(judgeGroup(group, ['a'])).toMatchObject([{ status: 'failed', code: 'group_foreign' }]);
  });
});
