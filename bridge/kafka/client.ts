/** The Kafka client of the consumer, the admin and the dead-letter producer, repaired and with all codecs. */
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { KafkaConfig } from '../shared/kafka-config.ts';
import { escapeBrokers, socketFactory } from '../shared/kafka-sockets.ts';
import { kafkaLog, type Logger } from '../shared/log.ts';
import { registerCodecs } from './kafkajs/codecs/codecs.ts';
import { patchKafkajs } from './kafkajs/patch.ts';
import type { Append } from './record.ts';

/** A broker across a region answers in milliseconds; a TLS handshake under load takes longer. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** There are few, because the bridge retries what outlasts them, and says so on the readiness page. */
export const KAFKA_RETRIES = { retries: 2, initialRetryTime: 200, maxRetryTime: 1_000 };

export function createKafka(config: KafkaConfig, log: Logger): Kafka {
  patchKafkajs();
  registerCodecs();
  return new kafkajs.Kafka({
    brokers: escapeBrokers(config.brokers),
    socketFactory,
    clientId: config.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: KAFKA_RETRIES,
    ...(config.ssl === undefined ? {} : { ssl: { ...config.ssl } }),
    ...(config.sasl === undefined ? {} : { sasl: config.sasl as SASLOptions }),
    ...kafkaLog(log),
  });
}

/** The producer of the dead-letter topics. A key has the same partition as in the topic it comes from. */
export function createAppender(kafka: Kafka): {
  append: Append;
  connect: () => Promise<void>;
  disconnect: () => Promise<void>;
} {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  return {
    append: async (topic, messages) => {
      await producer.send({ topic, messages, acks: -1 });
    },
    connect: () => producer.connect(),
    disconnect: () => producer.disconnect(),
  };
}
