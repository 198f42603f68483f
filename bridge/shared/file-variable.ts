/** A variable that names a file. */
import { readFileSync } from 'node:fs';
import { ConfigError, type Environment } from '../../worker/protocol/environment/variables.ts';

/** The file's text under the name that it has for kafkajs; nothing when the variable is not set. */
export function file<const Name extends string>(
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
