/**
 * Delivers a channel's entries to the members that keep up. Members at one cursor are a cohort, and a
 * flush delivers the same slices to all of them. A member that takes no more of a flush leaves its cohort
 * and becomes a laggard. No queue is held for anyone: what is pending is the end of the log.
 */
import type { Policy } from '../../policy.ts';
import type { Priority } from '../../protocol/events/events.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import { type Cohort, Group } from './cohort.ts';
import type { Losses } from './losses.ts';
import { deliverSlices, type Member } from './member.ts';
import { deadlineOf, nextTick, type Pace } from './pace.ts';
import { eventSlices, type Slice, slicesAfter } from './slice.ts';

/** What may be pending before it is flushed whatever the pace, in entries and in characters. */
const MAX_PENDING_ENTRIES = 500;
const MAX_PENDING_CHARACTERS = 512 * 1024;

export interface FlusherPorts {
  readonly log: Log;
  readonly policy: Pick<Policy, 'flushInterval'>;
  /** The pace of the object, which all its channels share. */
  readonly pace: Pace;
  readonly losses: Losses;
  /** A member took no more of a flush than up to `seq`. */
  readonly fellBehind: (member: Member, seq: number, now: number) => void;
}

export class Flusher {
  readonly #ports: FlusherPorts;
  readonly #main = new Group(undefined);
  readonly #rated = new Map<MaxRate, Group>();
  /** What was appended and not flushed. */
  #pending: Entry[] = [];
  #pendingCharacters = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #flushedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: FlusherPorts) {
    this.#ports = ports;
  }

  /** The number up to which the members at the channel's own pace have been sent. */
  get flushedUpTo(): number {
    const [first] = this.#pending;
    return first === undefined ? this.#ports.log.head : first.seq - 1;
  }

  /** When the next flush or tick is due, Unix ms. */
  get dueAt(): number {
    let at = this.#flushDueAt;
    for (const { dueAt } of this.#rated.values()) at = Math.min(at, dueAt);
    return at;
  }

  /** The number at which a member stands with others; undefined for a member that does not. */
  cursorOf(member: Member): number | undefined {
    return this.#groupOf(member).cursorOf(member);
  }

  /** Takes in a member that stands at `cursor`. */
  add(member: Member, cursor: number, now: number): void {
    const group = this.#groupOf(member);
    group.add(member, cursor);
    if (cursor < this.#ports.log.head) this.#planTick(group, now);
  }

  remove(member: Member): void {
    this.#groupOf(member).remove(member);
  }

  /** Takes note of entries that are in the log, which are pending until they are flushed. */
  appended(entries: readonly Entry[], priorities: readonly Priority[], now: number): void {
    for (const [index, entry] of entries.entries()) {
      this.#pending.push(entry);
      this.#pendingCharacters += entry.text.length;
      this.#deadline = Math.min(this.#deadline, deadlineOf(priorities[index] ?? 'medium', now));
    }
    for (const group of this.#rated.values()) this.#planTick(group, now);
  }

  /** Forgets what is pending: there is nobody to be sent it, or the log was numbered anew. */
  clear(): void {
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Does what is due. */
  run(now: number): void {
    if (this.#flushDueAt <= now) this.#flush(now);
    for (const group of this.#rated.values()) {
      if (group.dueAt <= now) this.#flushRated(group, now);
    }
  }

  get #flushDueAt(): number {
    if (this.#pending.length === 0) return Number.POSITIVE_INFINITY;
    const isMuch =
      this.#pending.length > MAX_PENDING_ENTRIES ||
      this.#pendingCharacters > MAX_PENDING_CHARACTERS;
    if (isMuch) return Number.NEGATIVE_INFINITY;
    const { policy, pace } = this.#ports;
    return Math.max(this.#deadline, this.#flushedAt + policy.flushInterval, pace.affordableAt);
  }

  #flush(now: number): void {
    const { pace } = this.#ports;
    const pending = this.#pending.filter(({ expiresAt }) => expiresAt > now);
    // In a log that follows another, entries may have come to their age on their way.
    const missed = this.#pending.findLast((entry) => entry.expiresAt <= now && !entry.perishable);
    const dueAt = this.#flushDueAt;
    pace.flushes(dueAt === Number.NEGATIVE_INFINITY ? now : dueAt);
    for (const cohort of this.#main.cohorts) {
      if (missed !== undefined && cohort.cursor < missed.seq) {
        this.#leaveBehind(this.#main, cohort, now);
        continue;
      }
      // A member that joined since the last flush has a part of it in its snapshot.
      const missing = pending.filter(({ seq }) => seq > cohort.cursor);
      this.#deliver(this.#main, cohort, eventSlices(cohort.cursor, missing), now);
    }
    this.clear();
    this.#flushedAt = now;
    this.#saveShortOfHead(this.#main);
  }

  /** On its tick, a group gets all since the last one: the latest per key, where the log is keyed. */
  #flushRated(group: Group, now: number): void {
    const { log, pace } = this.#ports;
    pace.flushes(group.dueAt);
    group.dueAt = Number.POSITIVE_INFINITY;
    log.expire(now);
    for (const cohort of group.cohorts) {
      let from = -1;
      while (cohort.members.size > 0 && from !== cohort.cursor) {
        from = cohort.cursor;
        const slices = slicesAfter(log, { epoch: log.epoch, seq: from }, true, now);
        if (Array.isArray(slices)) this.#deliver(group, cohort, slices, now);
        else this.#leaveBehind(group, cohort, now);
      }
    }
    this.#saveShortOfHead(group);
  }

  /** When the newest entries have expired, they are not sent, and members stand before the head. */
  #saveShortOfHead(group: Group): void {
    for (const { cursor, members } of group.cohorts) {
      if (cursor >= this.#ports.log.head) continue;
      for (const { recipient } of members) recipient.placeChanged();
    }
  }

  #planTick(group: Group, now: number): void {
    if (group.maxRate === undefined || group.size === 0) return;
    group.dueAt = Math.min(group.dueAt, nextTick(group.maxRate, now));
  }

  /** Delivers slices to a cohort. A member that cannot take them all stays behind. */
  #deliver(group: Group, cohort: Cohort, slices: readonly Slice[], now: number): void {
    const end = slices.at(-1)?.cursor;
    if (end === undefined) return;
    const { losses, fellBehind } = this.#ports;
    for (const member of cohort.members) {
      const reached = deliverSlices(member, slices, cohort.cursor, losses);
      if (reached === undefined || reached >= end) continue;
      group.remove(member);
      fellBehind(member, reached, now);
    }
    group.advance(cohort, end);
  }

  /** The members of a cohort have fallen off the tail: each is sent a gap, and the state. */
  #leaveBehind(group: Group, cohort: Cohort, now: number): void {
    for (const member of [...cohort.members]) {
      group.remove(member);
      this.#ports.fellBehind(member, cohort.cursor, now);
    }
  }

  #groupOf({ maxRate }: Member): Group {
    if (maxRate === undefined) return this.#main;
    let group = this.#rated.get(maxRate);
    if (group === undefined) {
      group = new Group(maxRate);
      this.#rated.set(maxRate, group);
    }
    return group;
  }
}
