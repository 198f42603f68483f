/** The HS256 key of the clients' tokens, as the Worker and the local stack read it. */
import { ConfigError, type Environment, text } from './variables.ts';

/** A key that is shorter than the hash is weaker than the hash (RFC 7518, 3.2). */
const MIN_LENGTH = 32;

/** @throws {ConfigError} */
export function readJwtSecret(env: Environment, fallback?: string): string {
  const secret = text(env, 'JWT_SECRET', fallback);
  if (secret.length >= MIN_LENGTH) return secret;
  throw new ConfigError('JWT_SECRET', `has ${MIN_LENGTH} characters or more, not ${secret.length}`);
}
