/** The environment of the bridge, read once into a frozen object. A bad variable stops the start. */
import type { KeyObject } from 'node:crypto';
import {
  ConfigError,
  choice,
  type Environment,
  flag,
  integer,
  list,
  name,
  port,
} from '../worker/protocol/environment/variables.ts';
import { TOPICS } from '../worker/protocol/events/topics.ts';
import { importSigningKey } from './delivery/post/signer.ts';
import { readEventsUrl, readSecrets } from './shared/gateway-config.ts';
import { type KafkaConfig, readBrokers, readSasl, readSsl } from './shared/kafka-config.ts';
import { readTopicPrefix, withoutPrefix } from './shared/topic-prefix.ts';

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

export interface TopicNames {
  /** What stands before the gateway's own name in each of them. */
  readonly prefix: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

export interface Config extends ProcessConfig {
  readonly kafka: ConsumerConfig;
  readonly topics: TopicNames;
  /** The address to which batches are POSTed. */
  readonly eventsUrl: URL;
  readonly keys: readonly KeyObject[];
}

export interface ProcessConfig {
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
    kafka: readConsumer(env),
    topics: readTopics(env),
    eventsUrl: readEventsUrl(env),
    keys: await readSecrets(env, 'INGEST_SECRET', importSigningKey),
    ...readProcess(env),
  });
}

/** @throws {ConfigError} */
export function readConsumer(env: Environment): ConsumerConfig {
  return Object.freeze({
    brokers: readBrokers(env),
    clientId: name(env, 'KAFKA_CLIENT_ID', 'websocket-gateway-bridge'),
    groupId: name(env, 'KAFKA_GROUP_ID', 'websocket-gateway'),
    ssl: readSsl(env),
    sasl: readSasl(env),
    sessionTimeoutMs: integer(env, 'KAFKA_SESSION_TIMEOUT_MS', 10_000, 1_000, 300_000),
  });
}

/** What concerns the bridge's own process. @throws {ConfigError} */
export function readProcess(env: Environment): ProcessConfig {
  return {
    host: name(env, 'BRIDGE_HOST', '127.0.0.1'),
    port: port(env, 'BRIDGE_PORT', 3008, 0),
    bufferBytes: integer(env, 'BRIDGE_BUFFER_MIB', 64, 1, 4_096) * 1024 * 1024,
    concurrency: integer(env, 'BRIDGE_CONCURRENCY', 32, 1, 1_024),
    shutdownTimeoutMs: integer(env, 'BRIDGE_SHUTDOWN_TIMEOUT_MS', 10_000, 1_000, 300_000),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
  };
}

/** @throws {ConfigError} */
export function readTopics(env: Environment): TopicNames {
  const prefix = readTopicPrefix(env);
  const isOptional = (name: string) => OPTIONAL_TOPICS.includes(name);
  const value = env.KAFKA_TOPICS ?? '';
  if (value === '') {
    const names = [...TOPICS.keys()];
    return {
      prefix,
      required: names.filter((name) => !isOptional(name)).map((name) => prefix + name),
      optional: names.filter(isOptional).map((name) => prefix + name),
    };
  }
  const named = list(value);
  if (named.length === 0) throw new ConfigError('KAFKA_TOPICS', 'names no topic');
  const mustBeKnown = flag(env, 'KAFKA_TOPICS_VERIFY', true);
  const required = new Set<string>();
  for (const topic of named) {
    if (!TOPIC_PATTERN.test(topic)) throw new ConfigError('KAFKA_TOPICS', `has no topic ${topic}`);
    // A topic may be named with its prefix or without it.
    const name = TOPICS.has(topic) ? topic : withoutPrefix(topic, prefix);
    if (mustBeKnown && !TOPICS.has(name)) throw new ConfigError('KAFKA_TOPICS', unknown(topic));
    required.add(prefix + name);
  }
  return { prefix, required: [...required], optional: [] };
}

/** The Worker would refuse each record of such a topic, so all of it would be dead-lettered. */
function unknown(topic: string): string {
  const names = [...TOPICS.keys()];
  // The longest one, because one name may end as another does.
  const [plain] = names
    .filter((name) => topic.endsWith(name))
    .sort((one, other) => other.length - one.length);
  const hint =
    plain === undefined
      ? `the gateway's topics are ${names.join(', ')}`
      : `set TOPIC_PREFIX=${topic.slice(0, -plain.length)} if your topics have a prefix`;
  return `names ${topic}, which the gateway does not know: ${hint}`;
}
