/**
 * A bucket of something that is spent, and that fills again as time passes: messages that a client
 * may send, characters of snapshots that an object may give, time that it may spend on sending. It
 * lives in memory only, because an object that sleeps has nobody to protect.
 */
export class Budget {
  readonly #capacity: number;
  readonly #perMs: number;
  #left: number;
  #countedAt = Number.NEGATIVE_INFINITY;

  /** @param perMs how much comes back each ms, up to `capacity`. */
  constructor(capacity: number, perMs: number) {
    this.#capacity = capacity;
    this.#perMs = perMs;
    this.#left = capacity;
  }

  /** From when on no debt is left, Unix ms. */
  get affordableAt(): number {
    if (this.#left > 0) return Number.NEGATIVE_INFINITY;
    return this.#countedAt - this.#left / this.#perMs;
  }

  /** Whether something is left at `now`, Unix ms. */
  affords(now: number): boolean {
    return this.#leftAt(now) > 0;
  }

  /**
   * Spends `cost` at `now`. More than is left makes a debt, which has to be filled up first. Nothing comes
   * back for the time since `wantedAt`, if it was wanted before.
   */
  spend(cost: number, now: number, wantedAt = now): void {
    this.#left = this.#leftAt(Math.min(wantedAt, now)) - cost;
    this.#countedAt = now;
  }

  #leftAt(now: number): number {
    const earned = Math.max(0, now - this.#countedAt) * this.#perMs;
    return Math.min(this.#capacity, this.#left + earned);
  }
}
