/**
 * Every code that leaves the gateway, in one table. Codes are stable: a caller decides on the code,
 * never on the text beside it.
 */

/** HTTP errors, as `{"error": {"code", "message"}}`. `retry`: whether the same request may succeed later. */
export const HTTP_ERRORS = {
  batch_malformed: { status: 400, retry: false },
  record_malformed: { status: 400, retry: false },
  body_not_json: { status: 400, retry: false },
  body_not_utf8: { status: 400, retry: false },
  room_invalid: { status: 400, retry: false },
  cursor_invalid: { status: 400, retry: false },
  rate_invalid: { status: 400, retry: false },
  trace_invalid: { status: 400, retry: false },
  limit_invalid: { status: 400, retry: false },
  signature_missing: { status: 401, retry: false },
  signature_invalid: { status: 401, retry: false },
  signature_stale: { status: 401, retry: false },
  token_missing: { status: 401, retry: false },
  token_invalid: { status: 401, retry: false },
  token_expired: { status: 401, retry: false },
  token_not_yet: { status: 425, retry: true },
  position_forbidden: { status: 403, retry: false },
  room_forbidden: { status: 403, retry: false },
  symbol_unknown: { status: 404, retry: false },
  not_found: { status: 404, retry: false },
  method_not_allowed: { status: 405, retry: false },
  batch_too_large: { status: 413, retry: false },
  upgrade_required: { status: 426, retry: false },
  batch_too_frequent: { status: 429, retry: true },
  internal: { status: 500, retry: true },
  config_invalid: { status: 503, retry: true },
  room_unavailable: { status: 503, retry: true },
  room_full: { status: 503, retry: true },
} as const;
export type HttpErrorCode = keyof typeof HTTP_ERRORS;

export function isHttpErrorCode(code: string): code is HttpErrorCode {
  return Object.hasOwn(HTTP_ERRORS, code);
}

/** Why a record of a batch is rejected, for good. */
export const REJECTION_CODES = [
  'topic_unknown',
  'event_not_object',
  'event_too_large',
  'event_too_deep',
  'event_expired',
  'duplicate_key',
  'forbidden_key',
  'private_field',
  'type_invalid',
  'symbol_invalid',
  /** The gateway's operator names the symbols that it knows. Only the gateway can judge by it. */
  'symbol_unknown',
  'user_id_invalid',
  'target_invalid',
  'data_invalid',
  'timestamp_invalid',
  'metadata_invalid',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/**
 * How a room closes a socket. `retry` says whether the client should come back by itself, after a
 * random wait and with its cursor. After `token_expired` it needs a new token first.
 */
export const CLOSE_CODES = {
  message_invalid: { close: 4400, retry: false },
  token_expired: { close: 4401, retry: true },
  peer_silent: { close: 4408, retry: true },
  slow_consumer: { close: 4413, retry: true },
  /** What a wake must know of it does not fit into what the platform keeps of a socket. */
  session_too_large: { close: 4431, retry: false },
  too_many_messages: { close: 4429, retry: true },
  /** The object takes on newer code; a `shutdown` frame has said when to come back. */
  shutdown: { close: 4503, retry: true },
} as const;
export type CloseReason = keyof typeof CLOSE_CODES;

/** What `welcome` says of a token that holds: some of what it grants cannot be used, and is ignored. */
export const NOTICES = ['grants_ignored'] as const;
export type Notice = (typeof NOTICES)[number];

/** The codes of the `error` frame: a message is refused, and the socket stays. */
export const SOCKET_ERROR_CODES = [
  'message_invalid',
  'room_elsewhere',
  'token_invalid',
  'token_expired',
  'token_not_yet',
  'token_missing',
  'room_forbidden',
  'room_invalid',
  'symbol_unknown',
  'room_unavailable',
  'rooms_too_many',
] as const;
export type SocketErrorCode = (typeof SOCKET_ERROR_CODES)[number];
