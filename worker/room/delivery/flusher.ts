/**
 * Sends a room's log to its members. Sending is moving a cursor: members at one cursor are a cohort
 * and share each frame; a member that does not keep up leaves it and becomes a laggard. No queue is
 * held for anyone: what is pending is the log's own end.
 *
 *             append, and a flush is due
 *   joining ──▶ cohort ──────────────────▶ cohort, further on
 *                │  ▲
 *    takes no more │  │ has all up to the last flush
 *                ▼  │
 *              laggard ──takes nothing for 30 s, and never acks──▶ closed (slow_consumer)
 *                   └──fell off the tail──▶ gap and snapshot, or the latest per key
 */
import type { Policy } from '../../policy.ts';
import type { Priority } from '../../protocol/events.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import { type Cohort, Group } from './cohort.ts';
import { awaitsAck, canTakeMore, hasFullBuffer } from './flow.ts';
import { Laggards } from './laggards.ts';
import type { Member } from './member.ts';
import { deadlineOf, leastInterval, nextTick } from './pace.ts';
import { type Serving, serveEntries, serveLaggard } from './serving.ts';

/** What may be pending before it is flushed whatever the pace, in entries and in characters. */
const MAX_PENDING_ENTRIES = 500;
const MAX_PENDING_CHARACTERS = 512 * 1024;

export interface Timers {
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
}

/** What happened to members, counted since the room woke: no loss is silent. */
export class Losses {
  /** Events left out for newer ones of their key, per member. */
  conflated = 0;
  gaps = 0;
  slowConsumers = 0;

  get total(): number {
    return this.conflated + this.gaps + this.slowConsumers;
  }
}

export interface FlusherPorts {
  readonly room: string;
  readonly log: Log;
  readonly policy: Policy;
  readonly timers: Timers;
  /** The socket is broken. */
  readonly lost: (member: Member) => void;
  /** It takes nothing and gives no sign. */
  readonly tooSlow: (member: Member) => void;
  /** Before a flush sends anything: who is not entitled any more is let go. */
  readonly beforeFlush: (now: number) => void;
}

export class Flusher {
  readonly losses = new Losses();
  readonly #ports: FlusherPorts;
  readonly #main = new Group(undefined);
  readonly #rated = new Map<MaxRate, Group>();
  readonly #laggards: Laggards;
  /** Appended and not flushed. */
  #pending: Entry[] = [];
  #pendingCharacters = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #timer: unknown;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(ports: FlusherPorts) {
    this.#ports = ports;
    const { room, log } = ports;
    this.#laggards = new Laggards({
      room,
      log,
      send: (member, serving, from) => this.#sendTo(member, serving, from),
      flushedUpTo: () => this.#flushedUpTo(),
      caughtUp: (member, cursor, now) => this.#gather(member, cursor, now),
      tooSlow: (member) => {
        this.losses.slowConsumers++;
        this.remove(member);
        ports.tooSlow(member);
      },
    });
  }

  /** Makes `member` one of those that stand at `cursor`, and sends it what it misses. */
  add(member: Member, cursor: number, now: number): void {
    if (cursor >= this.#flushedUpTo()) {
      this.#gather(member, cursor, now);
    } else {
      this.#laggards.add(member, cursor);
      this.#laggards.serve(member, now);
    }
    this.#schedule(now);
  }

  /** As `add`, of a member that slept with its cursor: a laggard is served in a turn of its own. */
  restore(member: Member, cursor: number, now: number): void {
    if (cursor >= this.#flushedUpTo()) {
      this.#groupOf(member).add(member, cursor);
      return;
    }
    this.#laggards.restore(member, cursor, now);
    this.#schedule(now);
  }

  remove(member: Member): void {
    this.#laggards.remove(member);
    this.#groupOf(member).remove(member);
  }

  /** Takes note of entries that are in the log, and flushes when they are due. */
  appended(entries: readonly Entry[], priorities: readonly Priority[], now: number): void {
    if (this.#isDeserted()) {
      this.#clearPending();
      this.#schedule(now);
      return;
    }
    for (const [index, entry] of entries.entries()) {
      this.#pending.push(entry);
      this.#pendingCharacters += entry.text.length;
      this.#deadline = Math.min(this.#deadline, deadlineOf(priorities[index] ?? 'medium', now));
    }
    for (const group of this.#rated.values()) this.#planTick(group, now);
    this.#turn(now);
  }

  /** `member` has everything up to `seq`. */
  acknowledge(member: Member, seq: number, now: number): void {
    const lagsAt = this.#laggards.cursorOf(member);
    const cursor = lagsAt ?? this.#groupOf(member).cursorOf(member);
    if (cursor === undefined || seq > cursor) return;
    const { log, beforeFlush } = this.#ports;
    member.inFlight.acknowledge(seq);
    if (!member.acks || member.savedInFlight) {
      member.acks = true;
      member.attach(log.epoch, member.savedCursor);
    }
    if (lagsAt === undefined) return;
    beforeFlush(now);
    log.expire(now);
    this.#laggards.serve(member, now);
    this.#schedule(now);
  }

  #gather(member: Member, cursor: number, now: number): void {
    const group = this.#groupOf(member);
    group.add(member, cursor);
    if (cursor < this.#ports.log.head) this.#planTick(group, now);
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

  #flushedUpTo(): number {
    const [first] = this.#pending;
    return first === undefined ? this.#ports.log.head : first.seq - 1;
  }

  #dueAt(): number {
    if (this.#pending.length === 0) return Number.POSITIVE_INFINITY;
    const isMuch =
      this.#pending.length > MAX_PENDING_ENTRIES ||
      this.#pendingCharacters > MAX_PENDING_CHARACTERS;
    if (isMuch) return Number.NEGATIVE_INFINITY;
    const interval = leastInterval(this.#ports.policy.flushInterval, this.#main.size);
    return Math.max(this.#deadline, this.#flushedAt + interval);
  }

  /** Does what is due. */
  #turn(now: number): void {
    if (this.#dueAt() <= now) this.#flush(now);
    for (const group of this.#rated.values()) {
      if (group.dueAt <= now) this.#flushRated(group, now);
    }
    if (this.#laggards.dueAt <= now) {
      this.#ports.beforeFlush(now);
      this.#ports.log.expire(now);
      this.#laggards.serveAll(now);
    }
    this.#schedule(now);
  }

  #flush(now: number): void {
    const { room, beforeFlush } = this.#ports;
    beforeFlush(now);
    const pending = this.#pending.filter(({ expiresAt }) => expiresAt > now);
    for (const cohort of this.#main.cohorts) {
      // Who joined since the last flush has a part of it in its snapshot.
      const missing = pending.filter(({ seq }) => seq > cohort.cursor);
      this.#send(this.#main, cohort, serveEntries(room, cohort.cursor, missing), now);
    }
    this.#clearPending();
    this.#flushedAt = now;
    this.#saveShortOf(this.#main);
  }

  /** Whether nobody is there to be sent anything: most rooms of an exchange, most of the time. */
  #isDeserted(): boolean {
    if (this.#main.size > 0 || this.#laggards.size > 0) return false;
    for (const { size } of this.#rated.values()) if (size > 0) return false;
    return true;
  }

  #clearPending(): void {
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** On its tick a group gets all since the last one: the latest per key, where the room is keyed. */
  #flushRated(group: Group, now: number): void {
    const { room, log, beforeFlush } = this.#ports;
    group.dueAt = Number.POSITIVE_INFINITY;
    beforeFlush(now);
    log.expire(now);
    for (const cohort of group.cohorts) {
      let served = -1;
      while (cohort.members.size > 0 && served !== cohort.cursor) {
        served = cohort.cursor;
        this.#send(group, cohort, serveLaggard(room, log, served, true, now), now);
      }
    }
    this.#saveShortOf(group);
  }

  /** Whom nothing is sent because the newest entries have expired stands short of the head. */
  #saveShortOf(group: Group): void {
    for (const { cursor, members } of group.cohorts) {
      if (cursor >= this.#ports.log.head) continue;
      for (const member of members) member.attach(this.#ports.log.epoch, cursor);
    }
  }

  #planTick(group: Group, now: number): void {
    if (group.maxRate === undefined || group.size === 0) return;
    group.dueAt = Math.min(group.dueAt, nextTick(group.maxRate, now));
  }

  /** Sends a cohort what it is served; who cannot take it stays behind. */
  #send(group: Group, cohort: Cohort, serving: Serving, now: number): void {
    if (serving.slices.length === 0) return;
    for (const member of cohort.members) {
      const reached = this.#sendTo(member, serving, cohort.cursor);
      if (reached === undefined) continue;
      if (reached < serving.cursor) {
        group.remove(member);
        this.#laggards.fallBehind(member, reached, now);
      } else if (member.savedCursor !== undefined || awaitsAck(member)) {
        member.attach(this.#ports.log.epoch, undefined);
      }
    }
    group.advance(cohort, serving.cursor);
  }

  /** As much as it takes. Up to where; undefined when the socket is broken, and the member gone. */
  #sendTo(member: Member, { slices, conflated, gap }: Serving, from: number): number | undefined {
    let reached = from;
    if (hasFullBuffer(member)) return reached;
    try {
      for (const { frames, cursor } of slices) {
        if (!canTakeMore(member)) return reached;
        for (const frame of frames) {
          member.socket.send(frame);
          if (member.acks) member.inFlight.send(cursor, frame.length);
        }
        reached = cursor;
      }
    } catch {
      // Closing already; its close event may come later or, after a crash of the peer, never.
      this.remove(member);
      this.#ports.lost(member);
      return undefined;
    }
    this.losses.conflated += conflated;
    if (gap) this.losses.gaps++;
    return reached;
  }

  /** One timer, for whatever is due first: a room with nothing to do has none, and hibernates. */
  #schedule(now: number): void {
    let at = Math.min(this.#dueAt(), this.#laggards.dueAt);
    for (const { dueAt } of this.#rated.values()) at = Math.min(at, dueAt);
    if (at === this.#wakesAt) return;
    const { timers } = this.#ports;
    timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = timers.setTimeout(
      () => {
        this.#wakesAt = Number.POSITIVE_INFINITY;
        this.#turn(this.#ports.timers.now());
      },
      Math.max(0, Math.ceil(at - now)),
    );
  }
}
