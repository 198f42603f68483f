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
  'large logs pushed',
  'large logs that waited for others',
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
  'departures',
  'sleeps with sockets',
  'tokens ended',
  'tokens checked too late',
] as const;

/** The same for lives at relays. */
export const TO_BE_MET_AT_RELAYS = [
  'members that waited',
  'requests replaced',
  'resumed from behind',
  'gaps: epoch',
  'gaps: trimmed',
  'conflated',
  'crashes',
  'crashes in a turn',
  'sleeps with sockets',
  'tokens ended',
  'tokens checked too late',
  'refills after a sleep',
  'full answers',
  'large logs pushed',
  'large logs that waited for others',
  'acks by the frame of a room that was left',
  'anonymous to user',
  'went on without its token',
  'rooms ended by a lesser token',
  'messages behind a token',
  'refused: room_invalid',
  'refused: token_missing',
  'refused: room_forbidden',
  'refused: token_expired',
  'refused: rooms_too_many',
  'refused: room_unavailable',
] as const;

export type Met =
  | (typeof TO_BE_MET)[number]
  | (typeof TO_BE_MET_AT_RELAYS)[number]
  | 'went back to an older epoch'
  | `calls at a depth of ${number}`;

export class Coverage {
  readonly #toBeMet: readonly Met[];
  readonly #counts = new Map<Met, number>();

  constructor(toBeMet: readonly Met[]) {
    this.#toBeMet = toBeMet;
  }

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
    return this.#toBeMet.filter((met) => this.of(met) === 0);
  }

  get lines(): string[] {
    const others = [...this.#counts.keys()].filter((met) => !this.#toBeMet.includes(met));
    return [...this.#toBeMet, ...others].map(
      (met) => `${String(this.of(met)).padStart(10)}  ${met}`,
    );
  }
}
