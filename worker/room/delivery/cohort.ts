/**
 * Members that stand at one cursor: each frame is composed for all of them at once. A group holds the
 * cohorts of one pace; a flush brings them all to the same cursor, where they are one again.
 */
import type { MaxRate } from '../../protocol/messages.ts';
import type { Member } from './member.ts';

export interface Cohort {
  cursor: number;
  readonly members: Set<Member>;
}

export class Group {
  /** Of the flushes that its members asked for at most, in a second; undefined for the room's own pace. */
  readonly maxRate: MaxRate | undefined;
  /** Of a rated group: its next tick, Unix ms, when there is something to send then. */
  dueAt = Number.POSITIVE_INFINITY;
  readonly #cohorts = new Map<number, Cohort>();
  readonly #cohortOf = new Map<Member, Cohort>();

  constructor(maxRate: MaxRate | undefined) {
    this.maxRate = maxRate;
  }

  get size(): number {
    return this.#cohortOf.size;
  }

  /** A copy: what is done to a cohort's members while it is flushed changes the group. */
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

  /** Moves a cohort to where it was sent up to: nothing is done per member, unless two meet. */
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
    // Who goes through the cohorts of a moment ago must not come upon these members twice.
    few.members.clear();
  }
}
