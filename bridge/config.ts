/** The environment of the bridge, read once into a frozen object. A bad variable stops the start. */
import type { SigningKey } from '../worker/protocol/signature.ts';
import { TOPICS } from '../worker/protocol/topics.ts';
import {
  ConfigError,
  choice,
  type Environment,
  integer,
  list,
  text,
} from '../worker/protocol/variables.ts';
import { readEventsUrl, readSecrets } from './shared/gateway-config.ts';
import { type KafkaConfig, readBrokers, readSasl, readSsl } from './shared/kafka-config.ts';

/** These topics may be absent from a cluster. */
const OPTIONAL_TOPICS = ['notifications'];
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** The names that Kafka allows. */
const TOPIC_PATTERN = /^[A-Za-z0-9._-]{1,249}$/;

/** Kafka, and the consumer group that all bridges of a gateway form. */
export interface ConsumerConfig extends KafkaConfig {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
}

export interface Config {
  readonly kafka: ConsumerConfig;
  readonly topics: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /** The address to which batches are POSTed. */
  readonly eventsUrl: URL;
  readonly keys: readonly SigningKey[];
  readonly host: string;
  readonly port: number;
  /** How many bytes of records may be in memory, over all partitions. */
  readonly bufferBytes: number;
  /** How many POSTs may be under way at a time. */
  readonly concurrency: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** @throws {ConfigError} */
export async function readConfig(env: Environment): Promise<Config> {
  return Object.freeze({
    kafka: Object.freeze({
      brokers: readBrokers(env),
      clientId: text(env, 'KAFKA_CLIENT_ID', 'websocket-gateway-bridge'),
      groupId: text(env, 'KAFKA_GROUP_ID', 'websocket-gateway'),
      ssl: readSsl(env),
      sasl: readSasl(env),
      sessionTimeoutMs: integer(env, 'KAFKA_SESSION_TIMEOUT_MS', 10_000, 1_000, 300_000),
    }),
    topics: readTopics(env),
    eventsUrl: readEventsUrl(env),
    keys: await readSecrets(env, 'INGEST_SECRET'),
    host: text(env, 'BRIDGE_HOST', '127.0.0.1'),
    port: integer(env, 'BRIDGE_PORT', 3008, 0, 65_535),
    bufferBytes: integer(env, 'BRIDGE_BUFFER_MIB', 64, 1, 4_096) * 1024 * 1024,
    concurrency: integer(env, 'BRIDGE_CONCURRENCY', 32, 1, 1_024),
    shutdownTimeoutMs: integer(env, 'BRIDGE_SHUTDOWN_TIMEOUT_MS', 10_000, 1_000, 300_000),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
  });
}

function readTopics(env: Environment): Config['topics'] {
  const named = env.KAFKA_TOPICS;
  if (named === undefined || named === '') {
    const names = [...TOPICS.keys()];
    const isOptional = (name: string) => OPTIONAL_TOPICS.includes(name);
    return {
      required: names.filter((name) => !isOptional(name)),
      optional: names.filter(isOptional),
    };
  }
  const required = list(named);
  for (const topic of required) {
    if (!TOPIC_PATTERN.test(topic)) throw new ConfigError('KAFKA_TOPICS', `has no topic ${topic}`);
  }
  return { required, optional: [] };
}
