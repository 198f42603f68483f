/**
 * Reads single variables of an environment, be it a process's or a Worker's bindings. A variable that
 * cannot be used is named.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the variable that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';

  constructor(variable: string, complaint: string) {
    super(`${variable} ${complaint}`);
  }
}

/** A variable that is set to nothing counts as not set. */
export function text(env: Environment, variable: string, fallback?: string): string {
  const value = env[variable] || fallback;
  if (value === undefined) throw new ConfigError(variable, 'is missing');
  return value;
}

/** Text that stands for itself, such as the name of a group. Blanks around it would make another name. */
export function name(env: Environment, variable: string, fallback?: string): string {
  const value = text(env, variable, fallback);
  if (value !== value.trim()) {
    throw new ConfigError(variable, `has white space around it: ${JSON.stringify(value)}`);
  }
  return value;
}

export const integer = numberReader('an integer', /^\d+$/);

/** A decimal number such as `0.5`, without an exponent. */
export const decimal = numberReader('a number', /^\d*\.?\d+$/);

function numberReader(kind: string, pattern: RegExp) {
  return (
    env: Environment,
    variable: string,
    fallback: number,
    least: number,
    most: number,
  ): number => {
    const value = text(env, variable, String(fallback));
    const number = Number(value);
    if (!pattern.test(value) || number < least || number > most) {
      throw new ConfigError(variable, `is ${kind} from ${least} to ${most}, not "${value}"`);
    }
    return number;
  };
}

const MAX_PORT = 65_535;

/** @param least 0 lets the operating system choose a port. */
export function port(
  env: Environment,
  variable: string,
  fallback: number,
  least: 0 | 1 = 1,
): number {
  return integer(env, variable, fallback, least, MAX_PORT);
}

export function flag(env: Environment, variable: string, fallback: boolean): boolean {
  return choice(env, variable, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
}

export function choice<const Choice extends string>(
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

export function list(value: string): string[] {
  return value.split(/[\s,]+/).filter((item) => item !== '');
}
