/**
 * A cohort is the members that stand at one cursor: each slice is made once for all of them. A group
 * holds the cohorts of one pace. A flush brings all its cohorts to the same cursor, where they
 * become one again.
 */
import type { MaxRate } from '../../protocol/messages.ts';
import type { Member } from './member.ts';

export interface Cohort {
  cursor: number;
  readonly members: Set<Member>;
}

export class Group {
  /** The most flushes a second that its members asked for; undefined for the channel's own pace. */
  readonly maxRate: MaxRate | undefined;
  /** The next tick of a group with a rate, Unix ms; infinite while there is nothing to send. */
  dueAt = Number.POSITIVE_INFINITY;
  readonly #cohorts = new Map<number, Cohort>();
  readonly #cohortOf = new Map<Member, Cohort>();

  constructor(maxRate: MaxRate | undefined) {
    this.maxRate = maxRate;
  }

  get size(): number {
    return this.#cohortOf.size;
  }

  /** A copy, because a flush changes the group: members fall behind, and cohorts meet. */
  get cohorts(): Cohort[] {
    return [...this.#cohorts.values()];
  }

  cursorOf(member: Member): number | undefined {
    return this.#cohortOf.get(member)?.cursor;
  }

  add(member: Member, cursor: number): void {
    let cohort = this.#cohorts.get(cursor);
    if (cohort === undefined) {
      cohort = { cursor, members: new Set() };
      this.#cohorts.set(cursor, cohort);
    }
    cohort.members.add(member);
    this.#cohortOf.set(member, cohort);
  }

  remove(member: Member): void {
    const cohort = this.#cohortOf.get(member);
    if (cohort === undefined) return;
    this.#cohortOf.delete(member);
    cohort.members.delete(member);
    if (cohort.members.size === 0) this.#cohorts.delete(cohort.cursor);
  }

  /** Moves a cohort to a later cursor. Nothing is done for each member, unless two cohorts meet. */
  advance(cohort: Cohort, cursor: number): void {
    if (cohort.members.size === 0 || cohort.cursor === cursor) return;
    this.#cohorts.delete(cohort.cursor);
    const there = this.#cohorts.get(cursor);
    cohort.cursor = cursor;
    if (there === undefined) {
      this.#cohorts.set(cursor, cohort);
      return;
    }
    const [few, many] =
      there.members.size < cohort.members.size ? [there, cohort] : [cohort, there];
    this.#cohorts.set(cursor, many);
    for (const member of few.members) {
      many.members.add(member);
      this.#cohortOf.set(member, many);
    }
    // A flush goes through a copy of the cohorts, and must not meet these members twice.
    few.members.clear();
  }
}
