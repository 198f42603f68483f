/** The configuration of `npm start` by the environment, read once. */
import { fileURLToPath } from 'node:url';
import { importSecret } from '../../worker/protocol/batch/signature.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { readJwtSecret } from '../../worker/protocol/environment/jwt-secret.ts';
import {
  ConfigError,
  choice,
  type Environment,
  port,
  text,
} from '../../worker/protocol/environment/variables.ts';
import { readSecrets } from '../shared/gateway-config.ts';
import { readBrokers } from '../shared/kafka-config.ts';
import { type FeedConfig, readFeedConfig } from './feed-config.ts';

export const DEFAULT_PORT = 3007;
export const DEFAULT_KAFKA_PORT = 9092;
const DEFAULT_BRIDGE_PORT = 3008;
const DEFAULT_STATE_DIR = fileURLToPath(new URL('../../.state', import.meta.url));

export interface StackConfig {
  readonly port: number;
  readonly bridgePort: number;
  /** A Kafka of our own on a port, or a cluster that is there. */
  readonly kafka:
    | { readonly kind: 'own'; readonly port: number }
    | { readonly kind: 'given'; readonly brokers: string };
  readonly stateDir: string;
  readonly ingestSecret: string;
  readonly publisherSecret: string;
  readonly jwtSecret: string;
  /** Undefined when there is no sample feed. */
  readonly feed: FeedConfig | undefined;
}

/** @throws {ConfigError} naming the variable that is wrong. */
export async function readConfig(env: Environment): Promise<StackConfig> {
  const isGiven = (env.KAFKA_BROKERS ?? '').trim() !== '';
  const ports = {
    PORT: port(env, 'PORT', DEFAULT_PORT),
    BRIDGE_PORT: port(env, 'BRIDGE_PORT', DEFAULT_BRIDGE_PORT),
    ...(isGiven ? {} : { KAFKA_PORT: port(env, 'KAFKA_PORT', DEFAULT_KAFKA_PORT) }),
  };
  requireDistinct(ports);
  // Made-up trades go into a cluster of your own only when you ask for them.
  const isFeedOn = choice(env, 'FEED', ['on', 'off'], isGiven ? 'off' : 'on') === 'on';
  return Object.freeze<StackConfig>({
    port: ports.PORT,
    bridgePort: ports.BRIDGE_PORT,
    kafka:
      ports.KAFKA_PORT === undefined
        ? { kind: 'given', brokers: readBrokers(env).join() }
        : { kind: 'own', port: ports.KAFKA_PORT },
    stateDir: text(env, 'STATE_DIR', DEFAULT_STATE_DIR),
    ingestSecret: await readSecretText(env, 'INGEST_SECRET', DEVELOPMENT_INGEST_SECRET),
    publisherSecret: await readSecretText(env, 'PUBLISHER_SECRET', DEVELOPMENT_PUBLISHER_SECRET),
    jwtSecret: readJwtSecret(env, DEVELOPMENT_JWT_SECRET),
    feed: isFeedOn ? readFeedConfig(env) : undefined,
  });
}

function requireDistinct(ports: Readonly<Record<string, number | undefined>>): void {
  const names = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (port === undefined) continue;
    const other = names.get(port);
    if (other !== undefined) {
      throw new ConfigError(name, `is ${port}, and so is ${other}: they must differ`);
    }
    names.set(port, name);
  }
}

/** The text of the secrets, once they are known to be usable. The Worker and the bridge read it again. */
async function readSecretText(
  env: Environment,
  variable: string,
  fallback: string,
): Promise<string> {
  const value = text(env, variable, fallback);
  await readSecrets({ [variable]: value }, variable, importSecret);
  return value;
}
