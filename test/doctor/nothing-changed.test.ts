/** The doctor changes nothing, whatever is missing, and gives up on who does not answer. */

import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { createTopic, kafka, produce, uniqueName } from '../support/kafka.ts';
import { startUnusedKafka, type UnusedKafka } from '../support/unused-kafka.ts';
import { diagnose } from './diagnosis.ts';

let unused: UnusedKafka;

beforeAll(async () => {
  unused = await startUnusedKafka();
});
afterAll(() => unused.stop());

const environment = (brokers: string, more: Record<string, string> = {}) => ({
  KAFKA_BROKERS: brokers,
  KAFKA_TOPICS_VERIFY: 'false',
  WEBSOCKET_GATEWAY_URL: 'http://127.0.0.1:1',
  INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
  ...more,
});

test('a cluster that nobody has used has no topic afterwards, not even of Kafka', async () => {
  const { troubles, said } = await diagnose(environment(unused.broker));
  const absent = troubles.filter((trouble) => trouble.startsWith('kafka.topics: topic_absent'));
  expect(absent).toHaveLength(5);
  expect(said('kafka.group')).toMatch(/^ok.*No consumer group has been used/);
  expect(await unused.admin.listTopics()).toEqual([]);
});

test('topics, groups and positions are what they were', async () => {
  const topic = uniqueName('topic');
  const group = uniqueName('group');
  await createTopic(topic, 2);
  await produce(topic, [{ value: '1' }, { value: '2' }]);
  const admin = kafka().admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '1' }] });

  const before = await snapshot(admin, topic, group);
  const absent = uniqueName('absent');
  for (const groupId of [group, uniqueName('other')]) {
    const { troubles } = await diagnose(
      environment(inject('kafkaBrokers').join(), {
        KAFKA_TOPICS: `${topic},${absent}`,
        KAFKA_GROUP_ID: groupId,
      }),
    );
    expect(troubles).toContain('kafka.topics: topic_absent');
    expect(troubles).not.toContain('kafka.group: group_foreign');
  }
  expect(await snapshot(admin, topic, group)).toEqual(before);
});

/** All that the test's own topic and group are; others run tests on the same broker. */
async function snapshot(admin: Admin, topic: string, group: string) {
  const isOurs = (name: string) =>
    [topic, group].some((known) => name.startsWith(known)) || /^(absent|other)-/.test(name);
  const { groups } = await admin.listGroups();
  return {
    topics: (await admin.listTopics()).filter(isOurs).sort(),
    offsets: await admin.fetchTopicOffsets(topic),
    groups: groups.map(({ groupId }) => groupId).filter(isOurs),
    described: (await admin.describeGroups([group])).groups,
    positions: await admin.fetchOffsets({ groupId: group, topics: [topic] }),
  };
}

test('the gateway makes no object and no room', async () => {
  const stateDir = await temporaryFolder();
  const worker = await startWorker({ port: await freePort(), stateDir });
  onTestFinished(() => worker.stop());
  const before = await readdir(stateDir, { recursive: true });
  const { said } = await diagnose({
    ...environment('127.0.0.1:1'),
    WEBSOCKET_GATEWAY_URL: worker.url,
  });
  expect(said('gateway.signature')).toMatch(/^ok/);
  expect(await readdir(stateDir, { recursive: true })).toEqual(before);
});

test('a Kafka that is paused is given up, and reported as hanging', async () => {
  unused.kill('SIGSTOP');
  onTestFinished(() => unused.kill('SIGCONT'));
  // On a busy machine its threads come to a stop one by one, and one may still answer.
  await sleep(500);
  const { troubles, said } = await diagnose(environment(unused.broker), { patienceMs: 1_000 });
  expect(troubles.filter((trouble) => trouble.startsWith('kafka.'))).toEqual([
    'kafka.brokers: no_answer',
  ]);
  expect(said('kafka.brokers')).toMatch(/hangs/);
});
