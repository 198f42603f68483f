/**
 * Random numbers that a seed repeats. Each part of the market draws from a stream of its own, named by
 * a label, so that what one part draws does not change what another one sees.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #seed: number;
  readonly #next: () => number;

  constructor(seed: number, label = '') {
    const generator = xoroshiro128plus(hash(`${seed} ${label}`));
    this.#seed = seed;
    this.#next = () => uniformFloat64(generator);
  }

  /** A stream of its own for `label`, the same whenever it is made. */
  fork(label: string): Random {
    return new Random(this.#seed, label);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.#next();
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.#next());
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }

  /** Normal with mean 0 and deviation 1, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#next()));
    return radius * Math.cos(2 * Math.PI * this.#next());
  }

  /** Log-normal with mean 1: the sizes of orders, many small and few large. */
  spread(deviation: number): number {
    return Math.exp(deviation * this.normal() - deviation ** 2 / 2);
  }
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readInt32LE();
}
