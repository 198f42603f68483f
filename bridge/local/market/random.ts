/**
 * Random numbers that a seed repeats: Chris Doty-Humphrey's sfc32, of PractRand
 * (https://pracrand.sourceforge.net), which passes its tests in a dozen lines and has no short
 * cycles. Each part of the market draws from a stream of its own, named by a label: what one part
 * draws does not change what another one sees.
 */
const WARM_UP_DRAWS = 15;
const TWO_TO_32 = 2 ** 32;

export class Random {
  readonly #seed: number;
  readonly #next: () => number;

  constructor(seed: number, label = '') {
    this.#seed = seed;
    this.#next = sfc32(seed, hash(label));
  }

  /** A stream of its own for `label`, the same whenever it is made. */
  fork(label: string): Random {
    return new Random(this.#seed, label);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.#next();
  }

  /** From `low` to `high`, both included. */
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

  /** Log-normal with mean 1: sizes of orders, many small and few large. */
  spread(deviation: number): number {
    return Math.exp(deviation * this.normal() - deviation ** 2 / 2);
  }
}

function sfc32(seed: number, label: number): () => number {
  let a = seed | 0;
  let b = label | 0;
  let c = Math.floor(seed / TWO_TO_32) | 0;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / TWO_TO_32;
  };
  for (let draw = 0; draw < WARM_UP_DRAWS; draw++) next();
  return next;
}

/** FNV-1a: https://datatracker.ietf.org/doc/html/rfc9923 */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return value;
}
