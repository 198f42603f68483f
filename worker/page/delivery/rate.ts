/** How much of something there is a second, over the last few seconds, and in all. */

const SLOT_MS = 500;
/** Long enough that a number can be read, short enough that it follows. */
const SLOTS = 6;

export class Rate {
  readonly #slots = new Float64Array(SLOTS);
  #slot = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param now ms of a clock that never goes back. */
  add(count: number, now: number): void {
    this.#turnTo(now);
    const index = this.#slot % SLOTS;
    this.#slots[index] = (this.#slots[index] ?? 0) + count;
    this.#total += count;
  }

  perSecond(now: number): number {
    this.#turnTo(now);
    // The present slot has only begun.
    const present = this.#slots[this.#slot % SLOTS] ?? 0;
    const sum = this.#slots.reduce((a, b) => a + b, 0) - present;
    return (sum * 1_000) / ((SLOTS - 1) * SLOT_MS);
  }

  /** Empties the slots of the time that has passed. */
  #turnTo(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    const passed = Math.min(SLOTS, slot - this.#slot);
    for (let count = 0; count < passed; count++) this.#slots[(slot - count) % SLOTS] = 0;
    this.#slot = Math.max(slot, this.#slot);
  }
}
