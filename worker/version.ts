/**
 * Which version of the Worker runs. Every call to an object carries the newest version that its caller
 * knows, so that objects that run older code learn of a deploy (`room/departure.ts`).
 */
import type { Env } from './env.ts';

/** Carries a version, Unix ms, in every request to an object. */
export const VERSION_HEADER = 'x-gateway-version';

/** When the version that runs was made, Unix ms; undefined where the platform does not tell. */
export function versionOf({ VERSION }: Pick<Env, 'VERSION'>): number | undefined {
  const made = Date.parse(VERSION?.timestamp ?? '');
  return Number.isNaN(made) ? undefined : made;
}

/** The header that carries a version, if one is known. */
export function versionHeader(version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { [VERSION_HEADER]: String(version) };
}

/** The version that a request carries; undefined when it carries none. */
export function versionIn(headers: Headers): number | undefined {
  const text = headers.get(VERSION_HEADER);
  return text === null ? undefined : Number(text);
}
