/** What `npm start` can be told by the environment, read once. */
import { fileURLToPath } from 'node:url';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/development.ts';
import { importSecret } from '../../worker/protocol/signature.ts';
import { type FeedConfig, readFeedConfig } from './feed-config.ts';
import { SetupError } from './setup-error.ts';

export const DEFAULT_PORT = 3007;
export const DEFAULT_KAFKA_PORT = 9092;
const DEFAULT_BRIDGE_PORT = 3008;
const DEFAULT_STATE_DIR = fileURLToPath(new URL('../../.state', import.meta.url));
/** As the Worker demands. */
const MIN_JWT_SECRET_LENGTH = 32;

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

/** @throws {SetupError} naming the variable that is wrong. */
export async function readConfig(env: NodeJS.ProcessEnv): Promise<StackConfig> {
  const brokers = env.KAFKA_BROKERS?.trim();
  const ports = {
    PORT: portOf(env, 'PORT', DEFAULT_PORT),
    BRIDGE_PORT: portOf(env, 'BRIDGE_PORT', DEFAULT_BRIDGE_PORT),
    ...(!brokers && { KAFKA_PORT: portOf(env, 'KAFKA_PORT', DEFAULT_KAFKA_PORT) }),
  };
  requireDistinct(ports);
  return Object.freeze<StackConfig>({
    port: ports.PORT,
    bridgePort: ports.BRIDGE_PORT,
    kafka:
      ports.KAFKA_PORT === undefined
        ? { kind: 'given', brokers: brokers ?? '' }
        : { kind: 'own', port: ports.KAFKA_PORT },
    stateDir: env.STATE_DIR || DEFAULT_STATE_DIR,
    ingestSecret: await secretsOf(env, 'INGEST_SECRET', DEVELOPMENT_INGEST_SECRET),
    publisherSecret: await secretsOf(env, 'PUBLISHER_SECRET', DEVELOPMENT_PUBLISHER_SECRET),
    jwtSecret: jwtSecretOf(env),
    feed: isFeedOn(env, ports.KAFKA_PORT !== undefined) ? readFeedConfig(env) : undefined,
  });
}

function portOf(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new SetupError(`${name} must be a port from 1 to 65535, not "${text}".`);
}

function requireDistinct(ports: Readonly<Record<string, number | undefined>>): void {
  const names = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (port === undefined) continue;
    const other = names.get(port);
    if (other !== undefined)
      throw new SetupError(`${other} and ${name} must differ, not both be ${port}.`);
    names.set(port, name);
  }
}

/** Made-up trades go into a cluster of your own only when you ask for them. */
function isFeedOn(env: NodeJS.ProcessEnv, isOwnKafka: boolean): boolean {
  switch (env.FEED) {
    case undefined:
    case '':
      return isOwnKafka;
    case 'on':
      return true;
    case 'off':
      return false;
    default:
      throw new SetupError(`FEED must be on or off, not "${env.FEED}".`);
  }
}

/** Several secrets may be in use at once, during a rotation. */
async function secretsOf(env: NodeJS.ProcessEnv, name: string, fallback: string): Promise<string> {
  const text = env[name]?.trim() || fallback;
  for (const secret of text.split(/[\s,]+/)) {
    await importSecret(secret).catch((error: unknown) => {
      throw new SetupError(
        `${name} is no secret: ${error instanceof Error ? error.message : error}.`,
      );
    });
  }
  return text;
}

function jwtSecretOf(env: NodeJS.ProcessEnv): string {
  const secret = env.JWT_SECRET || DEVELOPMENT_JWT_SECRET;
  if (secret.length >= MIN_JWT_SECRET_LENGTH) return secret;
  throw new SetupError(
    `JWT_SECRET must have at least ${MIN_JWT_SECRET_LENGTH} characters, not ${secret.length}.`,
  );
}
