/** What issuers of tokens write, and whether it lets its bearer in: at once, later or never. */
import { sign } from 'hono/jwt';
import { describe, expect, it } from 'vitest';
import { verifyToken } from '../../worker/auth/token.ts';

const SECRET = 'a secret of at least 32 characters';
/** Unix seconds. */
const NOW = 1_800_000_000;
const HOUR = 3_600;

const judge = async (claims: object, secret = SECRET) =>
  verifyToken(await sign(claims as never, secret), SECRET, NOW * 1000);

const good = { sub: 'user-123', exp: NOW + HOUR };

describe('a token lets its bearer in', () => {
  it.each<[string, object]>([
    ['with the least', {}],
    ['with a fraction of a second', { exp: NOW + 0.5 }],
    ['that ended a moment ago by our clock', { exp: NOW - 9 }],
    ['that begins in a moment by our clock', { nbf: NOW + 9 }],
    ['that was issued in the future', { iat: NOW + HOUR }],
    ['whose time of issue is a text', { iat: 'yesterday' }],
    ['with null for what is optional', { nbf: null, rooms: null, iat: null }],
    ['with claims of others', { iss: 'x', aud: ['a', 'b'], jti: '1', scope: 'read', roles: {} }],
    ['of a nanoid that begins with a sign', { sub: '-V1StGXR8_Z5jdHi6B-myT' }],
    ['of an address', { sub: 'bob@example.com' }],
    ["of an identity provider's user", { sub: 'samlp|corp|jane.doe@corp.com' }],
    ['that never ends, nearly', { exp: 253_402_300_799 }],
  ])('%s', async (_what, claims) => {
    expect(await judge({ ...good, ...claims })).toMatchObject({ kind: 'user' });
  });
});

describe('a token is refused', () => {
  it.each<[string, object, string]>([
    ['that ended', { exp: NOW - 11 }, 'token_expired'],
    ['that is to begin', { nbf: NOW + 11 }, 'token_not_yet'],
    ['that is to begin, and has ended', { nbf: NOW + 11, exp: NOW - 11 }, 'token_not_yet'],
    ['without an end', { exp: undefined }, 'token_invalid'],
    ['whose end is null', { exp: null }, 'token_invalid'],
    ['whose end is a text', { exp: String(NOW + HOUR) }, 'token_invalid'],
    ['whose end is in milliseconds', { exp: (NOW + HOUR) * 1000 }, 'token_invalid'],
    ['without a user', { sub: undefined }, 'token_invalid'],
    ['of a user that is a number', { sub: 123 }, 'token_invalid'],
    ['of a user without a name', { sub: '' }, 'token_invalid'],
    ['of a user with white space', { sub: 'a b' }, 'token_invalid'],
    ['whose beginning is a text', { nbf: 'soon' }, 'token_invalid'],
  ])('%s', async (_what, claims, code) => {
    expect(await judge({ ...good, ...claims })).toEqual({ kind: 'refused', code });
  });

  it('of another secret', async () => {
    expect(await judge(good, 'another secret of 32 characters!')).toEqual({
      kind: 'refused',
      code: 'token_invalid',
    });
  });

  it.each(['', '.', '..', 'a.b.c', 'null', '{}', 'e30.e30.e30', 'é', 'x'.repeat(10_000)])(
    'that is no token: %j',
    async (token) => {
      const refusal = { kind: 'refused', code: 'token_invalid' };
      expect(await verifyToken(token, SECRET, NOW * 1000)).toEqual(refusal);
    },
  );

  it.each(['none', 'HS384', 'RS256'])('of another algorithm: %s', async (alg) => {
    const [, payload, signature] = (await sign(good, SECRET)).split('.');
    const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
    for (const end of [signature, '']) {
      const judged = await verifyToken(`${header}.${payload}.${end}`, SECRET, NOW * 1000);
      expect(judged).toEqual({ kind: 'refused', code: 'token_invalid' });
    }
  });
});

describe('a token grants rooms', () => {
  it.each<[string, unknown, string[], boolean]>([
    ['that are named', ['a', 'b'], ['a', 'b'], false],
    ['none', [], [], false],
    ['as far as they are custom rooms', ['a', 'kline:BTC', 'price:X', 7, null], ['a'], true],
    ['only by a list', 'a', [], true],
    ['only by a list', { a: true }, [], true],
    ['in one normal form', ['cafe\u0301'], ['caf\u00e9'], false],
  ])('%s', async (_what, claim, rooms, ignoresGrants) => {
    expect(await judge({ ...good, rooms: claim })).toMatchObject({ rooms, ignoresGrants });
  });

  it('as far as a hundred', async () => {
    const claim = Array.from({ length: 101 }, (_, index) => `room-${index}`);
    const judged = await judge({ ...good, rooms: claim });
    expect(judged).toMatchObject({ rooms: claim.slice(0, 100), ignoresGrants: true });
  });
});
