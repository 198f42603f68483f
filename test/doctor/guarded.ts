/** A guarded Kafka with the topics of a bridge, and the doctor that looks at it. */
import { afterAll, beforeAll } from 'vitest';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { type GuardedKafka, startGuardedKafka } from '../support/guarded-kafka.ts';
import { createTopic } from '../support/kafka.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

export const TOPIC = 'guarded';
const DEAD_LETTERS = `${TOPIC}.dlq`;
const GROUP = 'guarded-group';
/** Certificates, the formatting of a folder and a broker: three starts of Java. */
const START_WITHIN_MS = 120_000;
type Environment = Readonly<Record<string, string>>;

export interface GuardedSetUp {
  readonly kafka: GuardedKafka;
  /** What the doctor says of Kafka. The gateway is not looked at. */
  look(env: Environment, options?: Parameters<typeof diagnose>[1]): Promise<Diagnosis>;
  /** The variables of a user, over SASL. */
  login(user: string, more?: Environment): Environment;
}

/** It is there for all tests of the file. */
export function guardedSetUp(): GuardedSetUp {
  let kafka: GuardedKafka | undefined;
  const started = () => {
    if (kafka === undefined) throw new Error('Kafka has not started');
    return kafka;
  };
  beforeAll(async () => {
    kafka = await startGuardedKafka();
    for (const name of [TOPIC, DEAD_LETTERS]) await createTopic(name, 2, [kafka.plain]);
    await grantRights(kafka);
  }, START_WITHIN_MS);
  afterAll(() => kafka?.stop());
  return {
    get kafka() {
      return started();
    },
    async look(env, options = {}) {
      const diagnosis = await diagnose(
        {
          KAFKA_TOPICS: TOPIC,
          KAFKA_TOPICS_VERIFY: 'false',
          KAFKA_GROUP_ID: GROUP,
          WEBSOCKET_GATEWAY_URL: 'http://127.0.0.1:1',
          INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
          ...env,
        },
        options,
      );
      const isOfKafka = (trouble: string) => !trouble.startsWith('gateway.');
      return { ...diagnosis, troubles: diagnosis.troubles.filter(isOfKafka) };
    },
    login: (user, more = {}) => ({
      KAFKA_BROKERS: started().sasl,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: user,
      ...more,
    }),
  };
}

/** The bridge may do what it must, each of the others lacks something, and the stranger has nothing. */
async function grantRights({ grant }: GuardedKafka): Promise<void> {
  await grant('bridge', { topic: TOPIC }, 'READ');
  await grant('bridge', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('bridge', { group: GROUP }, 'READ');
  await grant('ungrouped', { topic: TOPIC }, 'READ');
  await grant('ungrouped', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('onlooker', { topic: TOPIC }, 'READ');
  await grant('onlooker', { topic: DEAD_LETTERS }, 'DESCRIBE');
  await grant('onlooker', { group: GROUP }, 'DESCRIBE');
  await grant('blind', { topic: TOPIC }, 'DESCRIBE');
  await grant('blind', { topic: DEAD_LETTERS }, 'WRITE');
  await grant('blind', { group: GROUP }, 'READ');
}
