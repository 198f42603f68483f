/** The Worker's configuration, read once per isolate. With a bad variable nothing is served. */

import { fingerprint, importSecret, type SigningKey } from './protocol/batch/signature.ts';
import { DEVELOPMENT_SECRETS } from './protocol/environment/development.ts';
import { readJwtSecret } from './protocol/environment/jwt-secret.ts';
import { ConfigError, choice, integer, list } from './protocol/environment/variables.ts';
import { type Symbols, symbolsOf } from './symbols.ts';

/** The bindings that are text, as wrangler.toml and `wrangler secret put` give them. */
export type Variables = {
  /** The secrets of the bridges: one or several `whsec_…`, with spaces or commas between them. */
  readonly INGEST_SECRET?: string;
  /** The secrets of publishers that POST without Kafka, and so cannot state positions. */
  readonly PUBLISHER_SECRET?: string;
  /** The HS256 key of the clients' tokens: at least 32 characters. */
  readonly JWT_SECRET?: string;
  /** `local` lets the development secrets pass. */
  readonly ENVIRONMENT?: string;
  /** Where rooms live: a Durable Object location hint such as `weur`, beside the bridge. */
  readonly HOME_REGION?: string;
  /** How many sockets a room holds, 1 to 32000. */
  readonly ROOM_MAX_SOCKETS?: string;
  /** How many branches, and how many other objects, follow a room at one object, 2 to 1000. */
  readonly ROOM_MAX_FOLLOWERS?: string;
  /** The symbols that are known, and patterns of them such as `ETH-*`. Unset, every symbol is. */
  readonly SYMBOLS?: string;
  /** `on` serves the live page at `/`. */
  readonly PAGE?: string;
};

export interface IngestKey {
  readonly role: 'bridge' | 'publisher';
  readonly signingKey: SigningKey;
  /** Tells the secret from others, and reveals nothing of it. */
  readonly fingerprint: string;
}

export interface Config {
  readonly ingestKeys: readonly IngestKey[];
  readonly jwtSecret: string;
  /** Signs the paths by which clients come back to their relay. */
  readonly homeKey: CryptoKey;
  readonly homeRegion: DurableObjectLocationHint | undefined;
  readonly symbols: Symbols;
  readonly isPageOn: boolean;
}

const DEFAULT_MAX_SOCKETS = 2_000;
const DEFAULT_MAX_FOLLOWERS = 32;
/** An object holds at most 32,768 hibernating sockets; some are left for those that are closing. */
export const MOST_SOCKETS = 32_000;
const REGIONS = [
  'wnam',
  'enam',
  'sam',
  'weur',
  'eeur',
  'apac',
  'apac-ne',
  'apac-se',
  'oc',
  'afr',
  'me',
] as const satisfies readonly DurableObjectLocationHint[];

/** What the region is called in names of branches when HOME_REGION is not set. */
const NO_REGION = 'home';

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
  return integer(env, 'ROOM_MAX_SOCKETS', DEFAULT_MAX_SOCKETS, 1, MOST_SOCKETS);
}

/** How many branches, and how many other objects, may follow a room at one object. */
export function maxFollowersOf(env: Variables): number {
  return integer(env, 'ROOM_MAX_FOLLOWERS', DEFAULT_MAX_FOLLOWERS, 2, 1_000);
}

/** What the region is called in which rooms live. */
export function regionOf(env: Variables): string {
  return homeRegionOf(env) ?? NO_REGION;
}

/** The location hint that a region's name is; undefined when none is configured. */
export function locationHintOf(region: string): DurableObjectLocationHint | undefined {
  return REGIONS.find((known) => known === region);
}

async function readConfig(env: Variables): Promise<Config> {
  maxSocketsOf(env);
  maxFollowersOf(env);
  const ingestKeys = [
    ...(await ingestKeysOf(env, 'INGEST_SECRET', 'bridge')),
    ...(await ingestKeysOf(env, 'PUBLISHER_SECRET', 'publisher')),
  ];
  if (!ingestKeys.some(({ role }) => role === 'bridge')) {
    throw new ConfigError(
      'INGEST_SECRET',
      'is missing: set a whsec_… secret that the bridge has too',
    );
  }
  const fingerprints = new Set(ingestKeys.map(({ fingerprint }) => fingerprint));
  if (fingerprints.size < ingestKeys.length) {
    throw new ConfigError(
      'PUBLISHER_SECRET and INGEST_SECRET',
      'hold a secret twice: each secret may stand in one of them, and once',
    );
  }
  const jwtSecret = jwtSecretOf(env);
  return Object.freeze({
    ingestKeys,
    jwtSecret,
    homeKey: await importHomeKey(jwtSecret),
    homeRegion: homeRegionOf(env),
    symbols: symbolsOf(env),
    isPageOn: choice(env, 'PAGE', ['off', 'on'], 'off') === 'on',
  });
}

async function ingestKeysOf(
  env: Variables,
  variable: 'INGEST_SECRET' | 'PUBLISHER_SECRET',
  role: IngestKey['role'],
): Promise<IngestKey[]> {
  const secrets = list(env[variable] ?? '');
  return Promise.all(
    secrets.map(async (secret) => {
      refuseDevelopmentSecret(env, variable, secret);
      try {
        const signingKey = await importSecret(secret);
        return { role, signingKey, fingerprint: await fingerprint(secret) };
      } catch (error) {
        throw new ConfigError(
          `${variable}:`,
          error instanceof Error ? error.message : 'is invalid',
        );
      }
    }),
  );
}

function jwtSecretOf(env: Variables): string {
  const secret = readJwtSecret(env);
  refuseDevelopmentSecret(env, 'JWT_SECRET', secret);
  return secret;
}

/** Another key than the one that tokens are signed with, so that neither can stand in for the other. */
function importHomeKey(jwtSecret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(`home ${jwtSecret}`);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

function refuseDevelopmentSecret(env: Variables, variable: string, secret: string): void {
  if (env.ENVIRONMENT !== 'local' && DEVELOPMENT_SECRETS.has(secret)) {
    throw new ConfigError(variable, 'is the public development secret: set one of your own');
  }
}

function homeRegionOf(env: Variables): DurableObjectLocationHint | undefined {
  return (env.HOME_REGION ?? '') === '' ? undefined : choice(env, 'HOME_REGION', REGIONS);
}
