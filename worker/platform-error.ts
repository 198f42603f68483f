/** What the platform puts on an error: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
export interface PlatformError {
  /** The object has more to do than it can. To try again at once makes it worse. */
  readonly overloaded: boolean;
  /** The call may succeed when it is made again; it may also have been executed. */
  readonly retryable: boolean;
  /** The object's own code threw, not the way to it. */
  readonly remote: boolean;
  /** The object has ended itself, and another instance of it answers the next call. */
  readonly durableObjectReset: boolean;
}

/** Reads that of anything that was thrown; what is not there is false. */
export function platformErrorOf(error: unknown): PlatformError {
  const thrown: Partial<PlatformError> = Object(error);
  const { overloaded = false, retryable = false, remote = false } = thrown;
  return { overloaded, retryable, remote, durableObjectReset: thrown.durableObjectReset ?? false };
}
