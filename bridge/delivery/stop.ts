/**
 * The two ways in which a delivery is asked to end. A shutdown first says `finish`: what is under
 * way may be answered, nothing is tried again. A partition that another bridge now owns, or a
 * deadline that has come, says `abandon`: the request is cut off.
 */
export interface Stop {
  /** Aborted: try no more. */
  readonly retrying: AbortSignal;
  /** Aborted: not even an answer is awaited. */
  readonly posting: AbortSignal;
}

export class StopSource implements Stop {
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
