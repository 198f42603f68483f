/** The price of the chosen pair. */
import type { PriceUpdate } from '../../client/index.ts';
import { digitsOf } from './digits.ts';

export class Quote {
  #symbol: string;
  #data: PriceUpdate['data'] | undefined;
  #direction = 0;
  #digits = 0;
  changes = 0;

  constructor(symbol: string) {
    this.#symbol = symbol;
  }

  get symbol(): string {
    return this.#symbol;
  }

  /** Undefined before the first price. */
  get data(): PriceUpdate['data'] | undefined {
    return this.#data;
  }

  /** Where the price last moved to: 1 up, -1 down. */
  get direction(): number {
    return this.#direction;
  }

  /** The most digits after the point that the price has had. */
  get digits(): number {
    return this.#digits;
  }

  choose(symbol: string): void {
    this.#symbol = symbol;
    this.#digits = 0;
    this.#data = undefined;
    this.#direction = 0;
    this.changes++;
  }

  update({ data }: PriceUpdate): void {
    const move = Math.sign(Number(data.price) - Number(this.#data?.price ?? data.price));
    this.#direction = move || this.#direction;
    this.#digits = Math.max(this.#digits, digitsOf(data.price));
    this.#data = data;
    this.changes++;
  }
}
