/** The environment, read once into a frozen object. A bad variable is named and stops the start. */
import { readFileSync } from 'node:fs';
import { importSecret, type SigningKey } from '../worker/protocol/signature.ts';
import { TOPICS } from '../worker/protocol/topics.ts';

/** Topics of the table that a cluster may do without. */
const OPTIONAL_TOPICS = ['notifications'];
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** The names that Kafka allows. */
const TOPIC_PATTERN = /^[A-Za-z0-9._-]{1,249}$/;
const BROKER_PATTERN = /^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/;

export interface SslConfig {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface SaslConfig {
  readonly mechanism: (typeof SASL_MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  readonly ssl: SslConfig | undefined;
  readonly sasl: SaslConfig | undefined;
  readonly sessionTimeoutMs: number;
}

export interface Config {
  readonly kafka: KafkaConfig;
  readonly topics: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /** Where batches go. */
  readonly eventsUrl: URL;
  readonly keys: readonly SigningKey[];
  readonly host: string;
  readonly port: number;
  /** Of records in memory, over all partitions. */
  readonly bufferBytes: number;
  /** POSTs under way at a time. */
  readonly concurrency: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the variable that cannot be used. */
export class ConfigError extends Error {
  readonly code = 'config_invalid';

  constructor(variable: string, complaint: string) {
    super(`${variable} ${complaint}`);
  }
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
    keys: await readSecrets(env),
    host: text(env, 'BRIDGE_HOST', '127.0.0.1'),
    port: integer(env, 'BRIDGE_PORT', 3008, 0, 65_535),
    bufferBytes: integer(env, 'BRIDGE_BUFFER_MIB', 64, 1, 4_096) * 1024 * 1024,
    concurrency: integer(env, 'BRIDGE_CONCURRENCY', 32, 1, 1_024),
    shutdownTimeoutMs: integer(env, 'BRIDGE_SHUTDOWN_TIMEOUT_MS', 10_000, 1_000, 300_000),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
  });
}

function readBrokers(env: Environment): string[] {
  const brokers = list(text(env, 'KAFKA_BROKERS', 'localhost:9092'));
  for (const broker of brokers) {
    if (!BROKER_PATTERN.test(broker)) throw new ConfigError('KAFKA_BROKERS', 'is host:port, …');
  }
  return brokers;
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

function readEventsUrl(env: Environment): URL {
  const variable = 'WEBSOCKET_GATEWAY_URL';
  const base = URL.parse(text(env, variable, 'http://localhost:3007'));
  if (base === null || !['http:', 'https:'].includes(base.protocol)) {
    throw new ConfigError(variable, 'is an http:// or https:// URL');
  }
  if (base.search !== '' || base.hash !== '') throw new ConfigError(variable, 'ends at its path');
  return new URL(`${base.href.replace(/\/$/, '')}/v1/events`);
}

async function readSecrets(env: Environment): Promise<SigningKey[]> {
  const secrets = list(env.INGEST_SECRET ?? '');
  if (secrets.length === 0) throw new ConfigError('INGEST_SECRET', 'is missing');
  try {
    return await Promise.all(secrets.map(importSecret));
  } catch (error) {
    const complaint = error instanceof RangeError ? error.message : 'cannot be read';
    throw new ConfigError('INGEST_SECRET', `is not usable: ${complaint}`);
  }
}

function readSsl(env: Environment): SslConfig | undefined {
  if (!flag(env, 'KAFKA_SSL', false)) return undefined;
  return {
    rejectUnauthorized: flag(env, 'KAFKA_SSL_VERIFY', true),
    ...file(env, 'KAFKA_SSL_CA_FILE', 'ca'),
    ...file(env, 'KAFKA_SSL_CERT_FILE', 'cert'),
    ...file(env, 'KAFKA_SSL_KEY_FILE', 'key'),
  };
}

function readSasl(env: Environment): SaslConfig | undefined {
  if ((env.KAFKA_SASL_MECHANISM ?? '') === '') return undefined;
  return {
    mechanism: choice(env, 'KAFKA_SASL_MECHANISM', SASL_MECHANISMS),
    username: text(env, 'KAFKA_SASL_USERNAME'),
    password: text(env, 'KAFKA_SASL_PASSWORD'),
  };
}

/** A variable that is set to nothing counts as not set. */
function text(env: Environment, variable: string, fallback?: string): string {
  const value = env[variable] || fallback;
  if (value === undefined) throw new ConfigError(variable, 'is missing');
  return value;
}

function integer(
  env: Environment,
  variable: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const value = text(env, variable, String(fallback));
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new ConfigError(variable, `is an integer from ${least} to ${most}, not "${value}"`);
  }
  return number;
}

function flag(env: Environment, variable: string, fallback: boolean): boolean {
  return choice(env, variable, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
}

function choice<const Choice extends string>(
  env: Environment,
  variable: string,
  choices: readonly Choice[],
  fallback?: Choice,
): Choice {
  const value = text(env, variable, fallback);
  const found = choices.find((known) => known === value.toLowerCase());
  if (found === undefined) throw new ConfigError(variable, `is one of ${choices.join(', ')}`);
  return found;
}

function file<const Name extends string>(
  env: Environment,
  variable: string,
  name: Name,
): { [key in Name]?: string } {
  const path = env[variable];
  if (path === undefined || path === '') return {};
  try {
    return { [name]: readFileSync(path, 'utf8') } as { [key in Name]: string };
  } catch {
    throw new ConfigError(variable, `names a file that cannot be read: ${path}`);
  }
}

function list(value: string): string[] {
  return value.split(/[\s,]+/).filter((item) => item !== '');
}
