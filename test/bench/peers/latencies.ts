/** Counts millions of latencies in steps of 0.1 ms, up to half a minute. */
const STEPS_PER_MS = 10;
const MAX_MS = 30_000;

export class Latencies {
  readonly #counts = new Uint32Array(MAX_MS * STEPS_PER_MS);
  #noted = 0;

  note(ms: number): void {
    const step = Math.max(0, Math.floor(ms * STEPS_PER_MS));
    const index = Math.min(this.#counts.length - 1, step);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#noted++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#noted = 0;
  }

  /** In ms; 0 when nothing is noted. */
  quantile(share: number): number {
    const rank = Math.ceil(share * this.#noted);
    let seen = 0;
    for (const [step, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return step / STEPS_PER_MS;
    }
    return MAX_MS;
  }
}
