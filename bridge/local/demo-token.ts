/** A token to try private rooms with, as a service that signs users in would issue it. */
import { sign } from 'hono/jwt';

export const DEMO_USER = 'user-123';
export const DEMO_ROOM = 'trading-room-general';
const LIFETIME_SECONDS = 24 * 60 * 60;

export function demoToken(jwtSecret: string, nowMs: number = Date.now()): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return sign(
    { sub: DEMO_USER, rooms: [DEMO_ROOM], iat: issuedAt, exp: issuedAt + LIFETIME_SECONDS },
    jwtSecret,
    'HS256',
  );
}
