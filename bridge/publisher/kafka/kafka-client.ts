/** The Kafka client of a publisher: from its options, or from the environment where they are silent. */
import kafkajs, { type Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs';
import {
  ConfigError,
  type Environment,
  name,
} from '../../../worker/protocol/environment/variables.ts';
import { quietenKafkajs } from '../../kafka/kafkajs/timers.ts';
import { readBrokers, readSasl, readSsl } from '../../shared/kafka-config.ts';
import { escapeBrokers, socketFactory } from '../../shared/kafka-sockets.ts';

/** What kafkajs has to say about its connections; `console` fits. */
export interface PublisherLogger {
  error(message: string, fields: object): void;
}

export interface KafkaProducerOptions {
  /** `host:port` each, one at least; `KAFKA_BROKERS` unless given, else `localhost:9092`. */
  readonly brokers?: readonly string[] | undefined;
  /** `KAFKA_CLIENT_ID` unless given, else `backend-service`. */
  readonly clientId?: string | undefined;
  /** As kafkajs takes it; `KAFKA_SSL`, `KAFKA_SSL_CA_FILE`, … unless given. */
  readonly ssl?: KafkaConfig['ssl'] | undefined;
  /** What your estate writes before each topic's name; `TOPIC_PREFIX` unless given, else nothing. */
  readonly topicPrefix?: string | undefined;
  /** As kafkajs takes it; `KAFKA_SASL_MECHANISM`, `_USERNAME`, `_PASSWORD` unless given. */
  readonly sasl?: SASLOptions | undefined;
  /** Logs each failed attempt. Without it nothing is logged: what they come to is thrown. */
  readonly logger?: PublisherLogger | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
}

/** An event that takes longer to be confirmed is no longer of the moment. */
const CONNECTION_TIMEOUT_MS = 1_000;
export const REQUEST_TIMEOUT_MS = 5_000;
export const RETRY = { initialRetryTime: 100, retries: 3, maxRetryTime: 1_000 };

/** @throws {ConfigError} naming the variable that cannot be used. */
export function createKafkaClient(options: KafkaProducerOptions, env: Environment): Kafka {
  quieten();
  const ssl = options.ssl ?? readSsl(env);
  const sasl = options.sasl ?? (readSasl(env) as SASLOptions | undefined);
  return new kafkajs.Kafka({
    brokers: escapeBrokers(brokersOf(options.brokers, env)),
    socketFactory,
    clientId: options.clientId ?? name(env, 'KAFKA_CLIENT_ID', 'backend-service'),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    ...logging(options.logger),
  });
}

/** Where a bundler has put everything into one file, kafkajs cannot be repaired, and is only noisier. */
function quieten(): void {
  try {
    quietenKafkajs();
  } catch {
    // There is no folder of packages to take kafkajs's parts from.
  }
}

/** The brokers that were given are judged by the variable's rules, and named by it. */
function brokersOf(given: readonly string[] | undefined, env: Environment): string[] {
  const brokers =
    given === undefined ? readBrokers(env) : Array.from(given, (broker) => brokerOf(broker)).flat();
  if (brokers.length === 0) throw new ConfigError('KAFKA_BROKERS', 'names no broker');
  return brokers;
}

function brokerOf(given: unknown): string[] {
  // An empty text would be read as the default.
  if (typeof given !== 'string' || given === '') {
    throw new ConfigError('KAFKA_BROKERS', 'is host:port, …');
  }
  return readBrokers({ KAFKA_BROKERS: given });
}

function logging(
  logger: PublisherLogger | undefined,
): Pick<KafkaConfig, 'logLevel' | 'logCreator'> {
  if (logger === undefined) return { logLevel: kafkajs.logLevel.NOTHING };
  return {
    logLevel: kafkajs.logLevel.ERROR,
    logCreator:
      () =>
      ({ namespace, log: { message, timestamp: _, logger: __, ...fields } }) =>
        logger.error(`kafkajs: ${message}`, { ...fields, namespace }),
  };
}
