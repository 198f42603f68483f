/** Reads where Kafka is and how to be let in, for the bridge and the publisher SDK. */
import {
  ConfigError,
  choice,
  type Environment,
  flag,
  list,
  text,
} from '../../worker/protocol/variables.ts';
import { file } from './file-variable.ts';

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
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

/** What a client needs to know of Kafka. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: SslConfig | undefined;
  readonly sasl: SaslConfig | undefined;
}

export function readBrokers(env: Environment): string[] {
  const brokers = list(text(env, 'KAFKA_BROKERS', 'localhost:9092'));
  for (const broker of brokers) {
    if (!BROKER_PATTERN.test(broker)) throw new ConfigError('KAFKA_BROKERS', 'is host:port, …');
  }
  return brokers;
}

export function readSsl(env: Environment): SslConfig | undefined {
  if (!flag(env, 'KAFKA_SSL', false)) return undefined;
  return {
    rejectUnauthorized: flag(env, 'KAFKA_SSL_VERIFY', true),
    ...file(env, 'KAFKA_SSL_CA_FILE', 'ca'),
    ...file(env, 'KAFKA_SSL_CERT_FILE', 'cert'),
    ...file(env, 'KAFKA_SSL_KEY_FILE', 'key'),
  };
}

export function readSasl(env: Environment): SaslConfig | undefined {
  if ((env.KAFKA_SASL_MECHANISM ?? '') === '') return undefined;
  return {
    mechanism: choice(env, 'KAFKA_SASL_MECHANISM', SASL_MECHANISMS),
    username: text(env, 'KAFKA_SASL_USERNAME'),
    password: text(env, 'KAFKA_SASL_PASSWORD'),
  };
}
