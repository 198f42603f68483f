/**
 * HTTP errors: `{"error": {"code", "message", "retry"}}`, with the status that the table gives the code.
 * `retry` marks the gateway's own word: proxies and other systems answer with errors that look alike.
 */
import type { Context } from 'hono';
import { HTTP_ERRORS, type HttpErrorCode } from './protocol/codes.ts';
import type { RoomFailure } from './room-call.ts';

/** How long a caller waits before it tries again, in seconds, where nobody knows better. */
const RETRY_AFTER_SECONDS = 1;

export function refuse(
  c: Context,
  code: HttpErrorCode,
  message: string,
  retryAfter = RETRY_AFTER_SECONDS,
): Response {
  const { status, retry } = HTTP_ERRORS[code];
  if (retry) c.header('Retry-After', String(retryAfter));
  return c.json({ error: { code, message, retry } }, status);
}

/** The room's object failed, or could not be reached. */
export function refuseUnavailable(c: Context, { retryAfter }: RoomFailure): Response {
  return refuse(c, 'room_unavailable', 'the room cannot be reached now', retryAfter);
}
