/**
 * The two ways in which a delivery is asked to end. A shutdown says `finish` first: what is in flight
 * may be answered, and nothing is tried again. When another bridge owns the partition, or when the
 * deadline has come, it says `abandon`: the request is cut off.
 */
export interface Stop {
  /** When it is aborted, nothing is tried again. */
  readonly retrying: AbortSignal;
  /** When it is aborted, not even an answer is awaited. */
  readonly posting: AbortSignal;
}

export class StopController implements Stop {
  readonly #retrying = new AbortController();
  readonly #posting = new AbortController();
  readonly retrying: AbortSignal = this.#retrying.signal;
  readonly posting: AbortSignal = this.#posting.signal;

  finish(): void {
    this.#retrying.abort();
  }

  abandon(): void {
    this.#retrying.abort();
    this.#posting.abort();
  }
}
