/** Reads where Kafka is and how to be let in, for the bridge and the publisher SDK. */
import { isIPv4, isIPv6 } from 'node:net';
import {
  ConfigError,
  choice,
  type Environment,
  flag,
  name,
  text,
} from '../../worker/protocol/environment/variables.ts';
import { readTlsFiles, TLS_FILES, type TlsFiles } from './tls-files.ts';

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** A name or an address, and a port. An IPv6 address stands in brackets. */
const BROKER_PATTERN = /^(?<host>[\p{L}\p{M}\p{N}._-]+|\[[0-9a-fA-F:.]+\]):(?<port>\d{1,5})$/u;
/** What is only digits and dots is an address, and no name. */
const NUMERIC_PATTERN = /^[\d.]+$/;
const MAX_PORT = 65_535;

export interface SslConfig extends TlsFiles {
  readonly rejectUnauthorized: boolean;
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
  const variable = 'KAFKA_BROKERS';
  const value = text(env, variable, 'localhost:9092');
  const entries = value.split(',').map((entry) => entry.trim());
  if (entries.includes('')) {
    throw new ConfigError(
      variable,
      `has a blank entry: ${JSON.stringify(withoutPasswords(value))}`,
    );
  }
  const brokers = entries.flatMap((entry) => entry.split(/\s+/));
  for (const broker of brokers) requireBroker(variable, broker);
  return [...new Set(brokers)];
}

function requireBroker(variable: string, broker: string): void {
  const { host, port } = BROKER_PATTERN.exec(broker)?.groups ?? {};
  if (host === undefined || !isHost(host)) {
    throw new ConfigError(variable, `is host:port, … and "${withoutPasswords(broker)}" is not`);
  }
  if (Number(port) < 1 || Number(port) > MAX_PORT) {
    throw new ConfigError(variable, `has no port from 1 to ${MAX_PORT} in "${broker}"`);
  }
}

/** What stands before an "@" may be a password, and this is printed. */
function withoutPasswords(brokers: string): string {
  return brokers.replaceAll(/[^\s,]*@/g, '…@');
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1));
  return !NUMERIC_PATTERN.test(host) || isIPv4(host);
}

export function readSsl(env: Environment): SslConfig | undefined {
  if (!flag(env, 'KAFKA_SSL', false)) {
    // Whoever writes `KAFKA_SSL=false` beside a file means it; whoever leaves it out has forgotten it.
    const file = TLS_FILES.find((variable) => isSet(env, variable));
    if (file !== undefined && !isSet(env, 'KAFKA_SSL')) {
      throw new ConfigError(file, 'is set, and KAFKA_SSL=true is not');
    }
    return undefined;
  }
  return {
    rejectUnauthorized: flag(env, 'KAFKA_SSL_VERIFY', true),
    ...readTlsFiles(env),
  };
}

export function readSasl(env: Environment): SaslConfig | undefined {
  if (!isSet(env, 'KAFKA_SASL_MECHANISM')) {
    for (const variable of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']) {
      if (isSet(env, variable)) {
        const mechanisms = SASL_MECHANISMS.join(', ');
        throw new ConfigError(variable, `is set without KAFKA_SASL_MECHANISM (${mechanisms})`);
      }
    }
    return undefined;
  }
  return {
    mechanism: choice(env, 'KAFKA_SASL_MECHANISM', SASL_MECHANISMS),
    username: name(env, 'KAFKA_SASL_USERNAME'),
    password: text(env, 'KAFKA_SASL_PASSWORD'),
  };
}

function isSet(env: Environment, variable: string): boolean {
  return (env[variable] ?? '') !== '';
}
