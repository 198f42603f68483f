/**
 * The last few slots of time, of which each begins empty. A slot has an index, under which whoever counts
 * keeps what is of it.
 */
export class RecentSlots {
  readonly count: number;
  readonly #slotMs: number;
  readonly #empty: (index: number) => void;
  #slot = 0;

  /** @param empty is told the index of each slot that begins. */
  constructor(count: number, slotMs: number, empty: (index: number) => void) {
    this.count = count;
    this.#slotMs = slotMs;
    this.#empty = empty;
  }

  /** Begins the slots of the time that has passed. @returns the index of the present one. */
  turnTo(now: number): number {
    const slot = Math.floor(now / this.#slotMs);
    const passed = Math.min(this.count, slot - this.#slot);
    for (let back = 0; back < passed; back++) this.#empty((slot - back) % this.count);
    this.#slot = Math.max(slot, this.#slot);
    return this.#slot % this.count;
  }
}
