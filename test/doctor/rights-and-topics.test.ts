/** What the doctor says of rights and topics, by a real Kafka that has authorizers. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTopic, kafka, uniqueName } from '../support/kafka.ts';
import { guardedSetUp, TOPIC } from './guarded.ts';

const setUp = guardedSetUp();
const { look, login } = setUp;

describe('a right that is missing', () => {
  test('to read the topic', async () => {
    const { troubles, said } = await look(login('blind'));
    expect(troubles).toEqual(['kafka.rights.topics: TOPIC_AUTHORIZATION_FAILED']);
    expect(said('kafka.rights.topics')).toMatch(/guarded: .*READ/s);
  });

  test('on the group', async () => {
    const { troubles, skipped, said } = await look(login('ungrouped'));
    expect(troubles).toEqual(['kafka.rights.group: GROUP_AUTHORIZATION_FAILED']);
    expect(said('kafka.rights.group')).toMatch(/READ on the consumer group/);
    expect(skipped['kafka.group']).toBe('kafka.rights.group');
  });

  test('to be in a group that may be seen, and to write dead letters', async () => {
    const { troubles, said } = await look(login('onlooker'));
    expect(troubles).toEqual([
      'kafka.rights.dead_letters: TOPIC_AUTHORIZATION_FAILED',
      'kafka.rights.group: GROUP_AUTHORIZATION_FAILED',
    ]);
    expect(said('kafka.rights.dead_letters')).toMatch(/guarded\.dlq: .*WRITE/s);
  });

  test('to see the topics at all', async () => {
    const { troubles, said } = await look(login('stranger'));
    expect(troubles).toEqual([
      'kafka.topics: topic_hidden',
      'kafka.dead_letters: topic_hidden',
      'kafka.rights.group: GROUP_AUTHORIZATION_FAILED',
    ]);
    expect(said('kafka.topics')).toMatch(/guarded: .*DESCRIBE/s);
  });

  test('to make the topics that are missing', async () => {
    const topic = uniqueName('absent');
    for (const name of [topic, `${topic}.dlq`]) {
      await setUp.kafka.grant('bridge', { topic: name }, 'DESCRIBE');
    }
    const { troubles, said } = await look(login('bridge', { KAFKA_TOPICS: topic }));
    expect(troubles).toEqual(['kafka.topics: topic_missing', 'kafka.dead_letters: topic_missing']);
    expect(said('kafka.topics')).toMatch(/TOPIC_AUTHORIZATION_FAILED.*CREATE/s);
  });
});

describe('a topic', () => {
  test('that is missing is one that the bridge will make, and it is not made', async () => {
    const topic = uniqueName('absent');
    const { troubles, said } = await look({
      KAFKA_BROKERS: setUp.kafka.plain,
      KAFKA_TOPICS: `${topic},${TOPIC}`,
    });
    expect(troubles).toEqual(['kafka.topics: topic_absent', 'kafka.dead_letters: topic_absent']);
    expect(said('kafka.dead_letters')).toMatch(/\.dlq: .*The bridge will make it/s);
    const admin = kafka([setUp.kafka.plain]).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    expect((await admin.listTopics()).filter((name) => name.startsWith(topic))).toEqual([]);
  });

  test('whose dead-letter topic is missing is reported', async () => {
    const topic = uniqueName('lone');
    await createTopic(topic, 1, [setUp.kafka.plain]);
    const { troubles } = await look({ KAFKA_BROKERS: setUp.kafka.plain, KAFKA_TOPICS: topic });
    expect(troubles).toEqual(['kafka.dead_letters: topic_absent']);
  });

  test('that the gateway does not know is a variable that cannot be used', async () => {
    const { troubles, skipped } = await look({
      KAFKA_BROKERS: setUp.kafka.plain,
      KAFKA_TOPICS: 'prod.price.updates',
      KAFKA_TOPICS_VERIFY: 'true',
    });
    expect(troubles).toEqual(['variables.topics: variable_unusable']);
    expect(skipped['kafka.topics']).toBe('variables.topics');
  });

  test('with records of the future is reported', async () => {
    const topic = uniqueName('future');
    for (const name of [topic, `${topic}.dlq`]) await createTopic(name, 1, [setUp.kafka.plain]);
    const admin = kafka([setUp.kafka.plain]).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const configEntries = [{ name: 'message.timestamp.type', value: 'CreateTime' }];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries }],
    });
    const producer = kafka([setUp.kafka.plain]).producer();
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const send = (aheadMs: number) =>
      producer.send({
        topic,
        messages: [{ value: '{}', timestamp: String(Date.now() + aheadMs) }],
      });
    await send(0);
    const env = { KAFKA_BROKERS: setUp.kafka.plain, KAFKA_TOPICS: topic };
    expect((await look(env)).troubles).toEqual([]);
    await send(600_000);
    const { troubles, said } = await look(env);
    expect(troubles).toEqual(['kafka.clock: record_ahead']);
    expect(said('kafka.clock')).toContain(`${topic}/0 from 1 on`);
  });
});
