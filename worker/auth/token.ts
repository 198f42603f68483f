/**
 * A client's token: an HS256 JWT with `sub` (the user) and `exp`, and `rooms`, the custom rooms it
 * grants. It travels as `Authorization: Bearer` or, from a browser, as the subprotocol
 * `bearer.<jwt>` beside `gateway.v1`; never in a URL, where logs would keep it.
 */
import { verify } from 'hono/jwt';
import * as v from 'valibot';
import type { Notice } from '../protocol/codes.ts';
import { BEARER_SUBPROTOCOL_PREFIX } from '../protocol/frames.ts';
import { isCustomRoom, isName, normalForm } from '../protocol/rooms.ts';

export type Identity =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly user: string;
      /** Unix ms. */
      readonly expiresAt: number;
      readonly rooms: readonly string[];
      /** Whether some of what the token grants cannot be used, and is ignored. */
      readonly ignoresGrants: boolean;
    };

export type Identification = Identity | { readonly kind: 'refused'; readonly code: TokenRefusal };

/** `token_not_yet`: the token will hold later, so it is worth another try. */
export type TokenRefusal = 'token_invalid' | 'token_expired' | 'token_not_yet';

/** How many custom rooms a token may grant; more are ignored, which `welcome` says. */
const MAX_GRANTS = 100;
/** What a relay remembers of them with each socket, in characters. */
const MAX_GRANTS_LENGTH = 4_096;
/** How far the clock of a token's issuer may be from ours, in seconds, for all claims of time. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** The end of the year 9999: in ms it is still a date. */
const MAX_TIME_SECONDS = 253_402_300_799;

const time = v.pipe(v.number(), v.finite(), v.maxValue(MAX_TIME_SECONDS));
/** A claim that is null is absent: many serializers write it so. */
const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.check(isName)),
  exp: time,
  nbf: v.nullish(time),
  rooms: v.nullish(v.unknown()),
});

/** Who sent a request, by its headers. */
export async function identify(headers: Headers, secret: string): Promise<Identification> {
  const token = bearerOf(headers);
  return token === undefined ? { kind: 'anonymous' } : verifyToken(token, secret);
}

/** Whose token it is, and what it grants. */
export async function verifyToken(
  token: string,
  secret: string,
  now: number = Date.now(),
): Promise<Exclude<Identification, { kind: 'anonymous' }>> {
  try {
    // The claims of time are judged below, with a tolerance. `iat` is not judged at all.
    const options = { alg: 'HS256', iat: false, nbf: false, exp: false } as const;
    const { success, output } = v.safeParse(claimsSchema, await verify(token, secret, options));
    if (!success) return { kind: 'refused', code: 'token_invalid' };
    const { sub, exp, nbf } = output;
    if ((nbf ?? 0) > now / 1000 + CLOCK_TOLERANCE_SECONDS) {
      return { kind: 'refused', code: 'token_not_yet' };
    }
    // The tolerance only lets a token in that our clock takes for ended.
    const end = exp * 1000 > now ? exp : exp + CLOCK_TOLERANCE_SECONDS;
    const expiresAt = Math.floor(end * 1000);
    if (expiresAt <= now) return { kind: 'refused', code: 'token_expired' };
    return { kind: 'user', user: normalForm(sub), expiresAt, ...grantsOf(output.rooms) };
  } catch {
    return { kind: 'refused', code: 'token_invalid' };
  }
}

/** What a session keeps of who its client is. */
export function sessionIdentity(identity: Identity): {
  readonly user: string | undefined;
  readonly tokenExpiresAt: number | undefined;
  readonly rooms: readonly string[];
  readonly notices: readonly Notice[];
} {
  if (identity.kind === 'anonymous') {
    return { user: undefined, tokenExpiresAt: undefined, rooms: [], notices: [] };
  }
  const { user, expiresAt, rooms, ignoresGrants } = identity;
  const kept = withinLength(rooms, MAX_GRANTS_LENGTH);
  const isWhole = !ignoresGrants && kept.length === rooms.length;
  const notices: readonly Notice[] = isWhole ? [] : ['grants_ignored'];
  return { user, tokenExpiresAt: expiresAt, rooms: kept, notices };
}

/** The first texts that are of so many characters together. */
function withinLength(texts: readonly string[], most: number): string[] {
  let characters = 0;
  return texts.filter(({ length }) => {
    characters += length + 3;
    return characters <= most;
  });
}

/** The subprotocols that a client offers, in its order. */
export function subprotocolsOf(headers: Headers): string[] {
  const offered = headers.get('sec-websocket-protocol') ?? '';
  return offered.split(',').map((protocol) => protocol.trim());
}

/** The custom rooms that a token grants. What cannot be used costs the token nothing else. */
function grantsOf(claim: unknown): { rooms: string[]; ignoresGrants: boolean } {
  if (claim === undefined || claim === null) return { rooms: [], ignoresGrants: false };
  if (!Array.isArray(claim)) return { rooms: [], ignoresGrants: true };
  const usable = claim.filter((room) => typeof room === 'string' && isCustomRoom(room));
  const rooms = usable.slice(0, MAX_GRANTS).map(normalForm);
  return { rooms, ignoresGrants: rooms.length < claim.length };
}

/** Only `Bearer` counts: a proxy may add an `Authorization` of its own, such as `Basic`. */
function bearerOf(headers: Headers): string | undefined {
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.get('authorization') ?? '');
  if (bearer !== null) return bearer[1] ?? '';
  return subprotocolsOf(headers)
    .find((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL_PREFIX))
    ?.slice(BEARER_SUBPROTOCOL_PREFIX.length);
}
