/** What the lives of a run have come across. A run that misses some of it has not tried enough. */

/** Each is to be met in a run of a few hundred lives. */
export const TO_BE_MET = [
  'calls lost',
  'answers lost',
  'calls obeyed twice',
  'overloaded',
  'remote errors',
  'late answers ignored',
  'full answers',
  'outdated answers',
  'followed an unfilled branch',
  'holes pulled',
  'repeats answered',
  'retry asked for',
  'whole logs pushed',
  'epoch changes told',
  'rows removed by an answer',
  'alarms that pushed after a crash',
  'members that waited',
  'refills after a sleep',
  'gaps: epoch',
  'gaps: trimmed',
  'conflated',
  'depth of 3 and more',
  'crashes',
  'crashes in a turn',
  'sleeps with sockets',
  'tokens ended',
  'tokens checked too late',
] as const;

export type Met =
  | (typeof TO_BE_MET)[number]
  | 'went back to an older epoch'
  | `calls at a depth of ${number}`;

export class Coverage {
  readonly #counts = new Map<Met, number>();

  add(met: Met, times = 1): void {
    this.#counts.set(met, (this.#counts.get(met) ?? 0) + times);
  }

  of(met: Met): number {
    return this.#counts.get(met) ?? 0;
  }

  take(other: Coverage): void {
    for (const [met, times] of other.#counts) this.add(met, times);
  }

  get missing(): Met[] {
    return TO_BE_MET.filter((met) => this.of(met) === 0);
  }

  get lines(): string[] {
    const others = [...this.#counts.keys()].filter((met) => !TO_BE_MET.some((one) => one === met));
    return [...TO_BE_MET, ...others].map((met) => `${String(this.of(met)).padStart(10)}  ${met}`);
  }
}
