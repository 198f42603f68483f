/** The Worker's configuration, read once per isolate. A bad variable is named and nothing is served. */
import { DEVELOPMENT_SECRETS } from './protocol/development.ts';
import { fingerprint, importSecret, type SigningKey } from './protocol/signature.ts';

/** The bindings that are texts, as wrangler.toml and `wrangler secret put` give them. */
export interface Variables {
  /** One or several `whsec_…`, apart by spaces or commas: those of the bridges. */
  readonly INGEST_SECRET?: string;
  /** Likewise, of publishers that POST without Kafka. They cannot state positions. */
  readonly PUBLISHER_SECRET?: string;
  /** The HS256 key of clients' tokens, at least 32 characters. */
  readonly JWT_SECRET?: string;
  /** `local` lets the development secrets pass. */
  readonly ENVIRONMENT?: string;
  /** Where rooms live: a Durable Object location hint such as `weur`, beside the bridge. */
  readonly HOME_REGION?: string;
  /** How many sockets a room holds, 1 to 32000. */
  readonly ROOM_MAX_SOCKETS?: string;
}

export interface IngestKey {
  readonly role: 'bridge' | 'publisher';
  readonly signingKey: SigningKey;
  /** Tells its secret from others, and nothing of it. */
  readonly fingerprint: string;
}

export interface Config {
  readonly ingestKeys: readonly IngestKey[];
  readonly jwtSecret: string;
  readonly homeRegion: DurableObjectLocationHint | undefined;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** HS256 keys shorter than its hash are weaker than it (RFC 7518, 3.2). */
const MIN_JWT_SECRET_LENGTH = 32;
const DEFAULT_MAX_SOCKETS = 2_000;
/** The platform holds 32,768 hibernating sockets per object; some are left for those that close. */
export const MOST_SOCKETS = 32_000;
const REGIONS: readonly DurableObjectLocationHint[] = [
  'wnam',
  'enam',
  'sam',
  'weur',
  'eeur',
  'apac',
  'oc',
  'afr',
  'me',
];

const configs = new WeakMap<Variables, Promise<Config>>();

/** @throws {ConfigError} naming the variable that is missing or wrong. */
export function configOf(env: Variables): Promise<Config> {
  const known = configs.get(env);
  if (known !== undefined) return known;
  const config = readConfig(env);
  configs.set(env, config);
  return config;
}

/** How many sockets a room may hold. */
export function maxSocketsOf(env: Variables): number {
  const text = env.ROOM_MAX_SOCKETS;
  if (text === undefined || text === '') return DEFAULT_MAX_SOCKETS;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST_SOCKETS) {
    throw new ConfigError(`ROOM_MAX_SOCKETS is a whole number from 1 to ${MOST_SOCKETS}`);
  }
  return count;
}

async function readConfig(env: Variables): Promise<Config> {
  maxSocketsOf(env);
  const ingestKeys = [
    ...(await ingestKeysOf(env, 'INGEST_SECRET', 'bridge')),
    ...(await ingestKeysOf(env, 'PUBLISHER_SECRET', 'publisher')),
  ];
  if (!ingestKeys.some(({ role }) => role === 'bridge')) {
    throw new ConfigError(
      'INGEST_SECRET is missing: set a whsec_… secret, the same as the bridge has',
    );
  }
  const fingerprints = new Set(ingestKeys.map(({ fingerprint }) => fingerprint));
  if (fingerprints.size < ingestKeys.length) {
    throw new ConfigError(
      'PUBLISHER_SECRET and INGEST_SECRET must have no secret in common, nor twice',
    );
  }
  return Object.freeze({
    ingestKeys,
    jwtSecret: jwtSecretOf(env),
    homeRegion: homeRegionOf(env),
  });
}

async function ingestKeysOf(
  env: Variables,
  variable: 'INGEST_SECRET' | 'PUBLISHER_SECRET',
  role: IngestKey['role'],
): Promise<IngestKey[]> {
  const secrets = (env[variable] ?? '').split(/[\s,]+/).filter((secret) => secret !== '');
  return Promise.all(
    secrets.map(async (secret) => {
      refuseDevelopmentSecret(env, variable, secret);
      try {
        const signingKey = await importSecret(secret);
        return { role, signingKey, fingerprint: await fingerprint(secret) };
      } catch (error) {
        throw new ConfigError(`${variable}: ${error instanceof Error ? error.message : 'invalid'}`);
      }
    }),
  );
}

function jwtSecretOf(env: Variables): string {
  const secret = env.JWT_SECRET ?? '';
  if (secret.length < MIN_JWT_SECRET_LENGTH) {
    throw new ConfigError(`JWT_SECRET has at least ${MIN_JWT_SECRET_LENGTH} characters`);
  }
  refuseDevelopmentSecret(env, 'JWT_SECRET', secret);
  return secret;
}

function refuseDevelopmentSecret(env: Variables, variable: string, secret: string): void {
  if (env.ENVIRONMENT !== 'local' && DEVELOPMENT_SECRETS.has(secret)) {
    throw new ConfigError(`${variable} is the public development secret: set one of your own`);
  }
}

function homeRegionOf(env: Variables): DurableObjectLocationHint | undefined {
  const text = env.HOME_REGION;
  if (text === undefined || text === '') return undefined;
  const region = REGIONS.find((known) => known === text);
  if (region === undefined) throw new ConfigError(`HOME_REGION is one of ${REGIONS.join(', ')}`);
  return region;
}
