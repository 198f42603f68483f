/** The chances of one life: the same seed draws the same numbers. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const ALL = 2 ** 32;

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    const generator = xoroshiro128plus(seed);
    this.#next = () => generator.next() >>> 0;
    // The first numbers of neighbouring seeds are alike.
    for (let skipped = 0; skipped < 8; skipped++) this.#next();
  }

  /** A whole number from 0 to `below`, which is not included. */
  below(below: number): number {
    return Math.floor((this.#next() / ALL) * below);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.#next() < probability * ALL;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  /** One of the items, if there are any. */
  some<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }
}
