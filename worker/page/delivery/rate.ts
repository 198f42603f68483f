/** How much of something there is a second, over the last few seconds, and in all. */
import { RecentSlots } from './recent-slots.ts';

const SLOT_MS = 500;
/** Long enough that a number can be read, short enough that it follows. */
const SLOTS = 6;

export class Rate {
  readonly #amounts = new Float64Array(SLOTS);
  readonly #slots = new RecentSlots(SLOTS, SLOT_MS, (index) => {
    this.#amounts[index] = 0;
  });
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param now ms of a clock that never goes back. */
  add(count: number, now: number): void {
    const index = this.#slots.turnTo(now);
    this.#amounts[index] = (this.#amounts[index] ?? 0) + count;
    this.#total += count;
  }

  perSecond(now: number): number {
    // The present slot has only begun.
    const present = this.#amounts[this.#slots.turnTo(now)] ?? 0;
    const sum = this.#amounts.reduce((a, b) => a + b, 0) - present;
    return (sum * 1_000) / ((SLOTS - 1) * SLOT_MS);
  }
}
