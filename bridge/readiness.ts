/** Why the bridge does not deliver everything at present: named problems, each with a reason. */

export class Readiness {
  readonly #problems = new Map<string, string>();

  /** Reports the problem `name`; without a reason, that it is over. Returns whether that is news. */
  report(name: string, reason: string | undefined): boolean {
    const news = this.#problems.get(name) !== reason;
    if (reason === undefined) this.#problems.delete(name);
    else this.#problems.set(name, reason);
    return news;
  }

  get problems(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#problems);
  }

  get ready(): boolean {
    return this.#problems.size === 0;
  }
}
