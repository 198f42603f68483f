/** Why the bridge does not deliver everything at present: named problems, each with a reason. */
import { remedyOf } from './remedies.ts';

/** What is known of a problem beside its reason. */
export interface ProblemDetail {
  /** What was said, by an error or by the other side. It is for people, and may change. */
  readonly message?: string;
  readonly remedy?: string;
}

export class Readiness {
  readonly #problems = new Map<string, { reason: string; detail: ProblemDetail }>();

  /** Reports the problem `name`; without a reason, that it is over. Returns whether that is news. */
  report(name: string, reason: string | undefined, message?: string): boolean {
    const news = this.#problems.get(name)?.reason !== reason;
    if (reason === undefined) this.#problems.delete(name);
    else this.#problems.set(name, { reason, detail: detailOf(reason, message) });
    return news;
  }

  /** The reason of each problem. */
  get problems(): Readonly<Record<string, string>> {
    return this.#by(({ reason }) => reason);
  }

  get details(): Readonly<Record<string, ProblemDetail>> {
    return this.#by(({ detail }) => detail);
  }

  get ready(): boolean {
    return this.#problems.size === 0;
  }

  #by<Part>(part: (problem: { reason: string; detail: ProblemDetail }) => Part) {
    return Object.fromEntries([...this.#problems].map(([name, found]) => [name, part(found)]));
  }
}

function detailOf(reason: string, message: string | undefined): ProblemDetail {
  const remedy = remedyOf(reason);
  return {
    ...(message === undefined ? {} : { message }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}
