/**
 * HTTP errors: `{"error": {"code", "message", "retry"}}`, with the status that the table gives the code.
 * `retry` marks the gateway's own word: proxies and other systems answer with errors that look alike.
 */
import type { Context } from 'hono';
import { HTTP_ERRORS, type HttpErrorCode } from './protocol/codes.ts';

/** How long a caller waits before it tries again, in seconds. */
const RETRY_AFTER_SECONDS = 1;

export function refuse(c: Context, code: HttpErrorCode, message: string): Response {
  const { status, retry } = HTTP_ERRORS[code];
  if (retry) c.header('Retry-After', String(RETRY_AFTER_SECONDS));
  return c.json({ error: { code, message, retry } }, status);
}
