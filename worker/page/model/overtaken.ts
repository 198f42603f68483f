/** Prices and books that newer ones have replaced before a picture has shown them. */
export class Overtaken {
  readonly #waiting = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param what is the same for all of which only the newest is shown. */
  came(what: string): void {
    if (this.#waiting.has(what)) this.#count++;
    this.#waiting.add(what);
  }

  /** What has come is shown. */
  drawn(): void {
    this.#waiting.clear();
  }
}
