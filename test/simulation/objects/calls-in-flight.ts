/** Counts an object's calls in flight: there is at most one to each object of each kind. */
export class CallsInFlight {
  readonly #calls = new Map<string, object>();

  /** Takes note of a call. Whether there is one already. */
  begin(key: string, call: object): boolean {
    const isSecond = this.#calls.has(key);
    this.#calls.set(key, call);
    return isSecond;
  }

  /** The call has ended, or was given up. */
  end(key: string, call: object): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }
}
