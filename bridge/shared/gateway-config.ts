/** Reads where the gateway is and how to sign for it, for the bridge and the publisher SDK. */
import {
  ConfigError,
  type Environment,
  list,
  text,
} from '../../worker/protocol/environment/variables.ts';

export function readEventsUrl(env: Environment): URL {
  const variable = 'WEBSOCKET_GATEWAY_URL';
  const address = text(env, variable, 'http://localhost:3007');
  // `URL.parse` would be shorter, but Node 20.0 has none, and the publisher SDK runs there too.
  const base = URL.canParse(address) ? new URL(address) : undefined;
  if (base === undefined || !['http:', 'https:'].includes(base.protocol)) {
    throw new ConfigError(variable, 'is an http:// or https:// URL');
  }
  if (base.search !== '' || base.hash !== '') throw new ConfigError(variable, 'ends at its path');
  return new URL(`${base.href.replace(/\/$/, '')}/v1/events`);
}

/**
 * The keys of the secrets in `variable`. There are several during a rotation.
 * @param importKey throws a RangeError for a secret that is none.
 */
export async function readSecrets<Key>(
  env: Environment,
  variable: string,
  importKey: (secret: string) => Promise<Key>,
): Promise<Key[]> {
  const secrets = list(env[variable] ?? '');
  if (secrets.length === 0) {
    throw new ConfigError(
      variable,
      'is missing: set it to a whsec_… secret that the gateway has too',
    );
  }
  try {
    return await Promise.all(secrets.map(importKey));
  } catch (error) {
    const complaint = error instanceof RangeError ? error.message : 'cannot be read';
    throw new ConfigError(variable, `is not usable: ${complaint}`);
  }
}
