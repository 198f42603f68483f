/**
 * A client's token: an HS256 JWT with `sub` (the user) and `exp`, and `rooms`, the custom rooms it
 * grants. It travels as `Authorization: Bearer` or, from a browser, as the subprotocol
 * `bearer.<jwt>` beside `gateway.v1`; never in a URL, where logs would keep it.
 */
import { verify } from 'hono/jwt';
import { JwtTokenExpired } from 'hono/utils/jwt/types';
import * as v from 'valibot';
import { BEARER_SUBPROTOCOL_PREFIX } from '../protocol/frames.ts';
import { CUSTOM_ROOM_PATTERN, USER_ID_PATTERN } from '../protocol/rooms.ts';

export type Identity =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly user: string;
      /** Unix ms. */
      readonly expiresAt: number;
      readonly rooms: readonly string[];
    };

export type Identification =
  | Identity
  | { readonly kind: 'refused'; readonly code: 'token_invalid' | 'token_expired' };

const MAX_ROOMS = 100;
/** The end of the year 9999: in ms it is still a date. */
const MAX_EXPIRY_SECONDS = 253_402_300_799;

const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.regex(USER_ID_PATTERN)),
  exp: v.pipe(v.number(), v.finite(), v.maxValue(MAX_EXPIRY_SECONDS)),
  rooms: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(CUSTOM_ROOM_PATTERN))), v.maxLength(MAX_ROOMS)),
    [],
  ),
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
): Promise<Exclude<Identification, { kind: 'anonymous' }>> {
  try {
    // `iat` is not checked, because a clock that is a second ahead of ours is no forgery.
    const payload = await verify(token, secret, { alg: 'HS256', iat: false });
    const { success, output } = v.safeParse(claimsSchema, payload);
    if (!success) return { kind: 'refused', code: 'token_invalid' };
    const expiresAt = Math.floor(output.exp * 1000);
    return { kind: 'user', user: output.sub, expiresAt, rooms: output.rooms };
  } catch (error) {
    const code = error instanceof JwtTokenExpired ? 'token_expired' : 'token_invalid';
    return { kind: 'refused', code };
  }
}

/** The subprotocols that a client offers, in its order. */
export function subprotocolsOf(headers: Headers): string[] {
  const offered = headers.get('sec-websocket-protocol') ?? '';
  return offered.split(',').map((protocol) => protocol.trim());
}

function bearerOf(headers: Headers): string | undefined {
  const authorization = headers.get('authorization');
  if (authorization !== null) return authorization.replace(/^bearer +/i, '');
  return subprotocolsOf(headers)
    .find((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL_PREFIX))
    ?.slice(BEARER_SUBPROTOCOL_PREFIX.length);
}
