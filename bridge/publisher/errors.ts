/**
 * Why something was not published. Codes are stable: decide on the code, never on the text beside it.
 */
import {
  HTTP_ERRORS,
  type HttpErrorCode,
  isHttpErrorCode,
  REJECTION_CODES,
  type RejectionCode,
} from '../../worker/protocol/codes.ts';

/** The publisher's own codes. `retry`: whether the same call may succeed later. */
const OWN_CODES = {
  /** `connect` or `initialize` has not been called, or `disconnect` or `shutdown` has. */
  not_connected: { retry: true },
  /** `hasNotificationPermission` answered false. */
  permission_denied: { retry: false },
  /** `hasNotificationPermission` threw, or did not answer within 10 s. */
  permission_unknown: { retry: true },
  /** Kafka did not confirm in time. It may have taken the event all the same. */
  kafka_unavailable: { retry: true },
  /** Kafka does not let these credentials in, or not write to this topic. */
  kafka_forbidden: { retry: false },
  /** The cluster has no such topic; the publisher never creates one. */
  topic_missing: { retry: true },
  /** The topic has no such partition. */
  partition_invalid: { retry: false },
  /** Kafka refused the record itself, for good. */
  record_refused: { retry: false },
  /** The gateway did not confirm in time. It may have taken the event all the same. */
  gateway_unavailable: { retry: true },
  /** More waits to be sent than the publisher may hold in memory. */
  publisher_busy: { retry: true },
  /** A queue was full. */
  queue_full: { retry: true },
  /** A queue was shut down before this event was sent. */
  queue_closed: { retry: false },
} as const;
type OwnCode = keyof typeof OWN_CODES;

/** All codes of a `PublishError`: the Worker's reasons to reject an event, its HTTP errors, and ours. */
export type PublishErrorCode = RejectionCode | HttpErrorCode | OwnCode;

const REJECTIONS: ReadonlySet<string> = new Set(REJECTION_CODES);

/**
 * Why an event was not published.
 *
 * With `kafka_unavailable` and `gateway_unavailable` nobody knows: the event may have been taken and
 * only the answer been lost. To publish it again then means that it may arrive twice (at least once).
 * The same is true of `internal`, an error that nobody expected. `batch_too_frequent` says that a room
 * could not take the batch now: that room took nothing of it, but other rooms may have taken theirs.
 * With every other code the event was not taken.
 *
 * @example
 * try {
 *   await notifications.notifyUser('user-123', 'swap_failed', { swapId: 'swap-456' });
 * } catch (error) {
 *   if (error instanceof PublishError && error.retry) await queue.addNotification(…);
 * }
 */
export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly code: PublishErrorCode;
  /** Whether the same call may succeed later. */
  readonly retry: boolean;

  constructor(code: PublishErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retry = mayRetry(code);
  }
}

/** Whether what was refused with `code` may be taken later. */
function mayRetry(code: PublishErrorCode): boolean {
  if (isOwnCode(code)) return OWN_CODES[code].retry;
  if (isHttpErrorCode(code)) return HTTP_ERRORS[code].retry;
  return false;
}

/** Whether `code` condemns the event itself, and not the moment or the way. */
export function isForGood(code: PublishErrorCode): boolean {
  return isRejectionCode(code) || code === 'permission_denied' || code === 'record_refused';
}

/** These codes say that Kafka or the gateway cannot be reached, or takes nothing, at present. */
const OUTAGES: ReadonlySet<string> = new Set([
  'kafka_unavailable',
  'gateway_unavailable',
  'batch_too_frequent',
]);

export function isOutage(code: string): boolean {
  return OUTAGES.has(code);
}

export function isRejectionCode(code: string): code is RejectionCode {
  return REJECTIONS.has(code);
}

function isOwnCode(code: string): code is OwnCode {
  return Object.hasOwn(OWN_CODES, code);
}

/** Any failure as a `PublishError`. */
export function toPublishError(error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  // The package's other kind of module has a class of its own, and a producer of it may be shared.
  if (isForeign(error)) return new PublishError(error.code, error.message, { cause: error });
  return new PublishError('internal', 'an unexpected error', { cause: error });
}

function isForeign(error: unknown): error is PublishError {
  return error instanceof Error && error.name === 'PublishError' && 'code' in error;
}
