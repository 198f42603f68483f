/**
 * A channel: one room as this object serves it, which is a log and the members that read it. The log
 * is the room's own, or a mirror that follows the room elsewhere; the channel does not know which.
 * What the channels of an object share comes in from outside.
 */
import type { Policy } from '../policy.ts';
import type { Priority } from '../protocol/events/events.ts';
import type { Cursor } from '../protocol/frames.ts';
import { Flusher } from './delivery/flusher.ts';
import { Frames } from './delivery/frames.ts';
import type { LaggardChannel, Laggards } from './delivery/laggards.ts';
import type { Losses } from './delivery/losses.ts';
import type { Member } from './delivery/member.ts';
import type { Pace } from './delivery/pace.ts';
import { State } from './delivery/state.ts';
import type { Entry } from './log/entry.ts';
import type { Log, SavedLog } from './log/log.ts';
import { resumeFrom } from './log/resume.ts';

/** What is the object's, and not one channel's. */
export interface SharedDelivery {
  readonly pace: Pace;
  readonly laggards: Laggards;
  readonly losses: Losses;
}

/** Whoever keeps a log filled that follows another. */
export interface LogKeeper {
  /** Whether the log has all that is kept of the room. */
  readonly isFilled: boolean;
  /** Whether the log is given everything that comes after its floor. */
  readonly goesOn: boolean;
  /** Asks for all that is kept of the room. Then the channel is refilled, some time. */
  fill(now: number): void;
  /** As `fill`, for a reader that has seen a later epoch. False when that was asked for just before. */
  catchUp(now: number): boolean;
  /** Whether nobody is asked for it soon, because that has failed for long. */
  isUnreachable(now: number): boolean;
  /** The last member has left. */
  deserted(): void;
}

/** The own log of a room has everything from the beginning, so nobody has to fill it. */
const OWN: LogKeeper = {
  isFilled: true,
  goesOn: true,
  fill: () => {},
  catchUp: () => false,
  isUnreachable: () => false,
  deserted: () => {},
};

export class Channel implements LaggardChannel {
  readonly room: string;
  readonly log: Log;
  readonly frames: Frames;
  readonly state: State;
  readonly #keeper: LogKeeper;
  readonly #shared: SharedDelivery;
  /** Reports that something may be due now. */
  readonly #touched: () => void;
  readonly #flusher: Flusher;
  readonly #members = new Set<Member>();
  /** Those who wait because they have seen a later epoch than the log has. */
  readonly #fromLaterEpoch = new WeakSet<Member>();

  constructor(
    room: string,
    log: Log,
    policy: Pick<Policy, 'flushInterval'>,
    shared: SharedDelivery,
    touched: () => void = () => {},
    keeper: LogKeeper = OWN,
  ) {
    const { pace, losses, laggards } = shared;
    this.room = room;
    this.log = log;
    this.#keeper = keeper;
    this.#touched = touched;
    this.frames = new Frames(room);
    this.state = new State(log);
    this.#shared = shared;
    this.#flusher = new Flusher({
      log,
      policy,
      pace,
      losses,
      fellBehind: (member, seq, now) => laggards.fallBehind(member, this, seq, now),
    });
  }

  /** When `run` is to be called next, Unix ms. */
  get dueAt(): number {
    return this.#flusher.dueAt;
  }

  get flushedUpTo(): number {
    return this.#flusher.flushedUpTo;
  }

  /** How many members read the channel. */
  get size(): number {
    return this.#members.size;
  }

  run(now: number): void {
    this.#flusher.run(now);
  }

  /** Whether a reader at `place` can be served now; undefined for one that is to be sent the state. */
  serves(place: Cursor | undefined): boolean {
    const { isFilled, goesOn } = this.#keeper;
    const { epoch, floor } = this.log;
    return isFilled || (goesOn && place?.epoch === epoch && place.seq >= floor);
  }

  /** Whether a reader at `place` has to wait until the log is filled. Then that is asked for. */
  lacks(place: Cursor | undefined, now: number): boolean {
    // What expires may raise the floor above the place.
    this.log.expire(now);
    const isServed = this.serves(place);
    if (!isServed) this.#keeper.fill(now);
    return !isServed;
  }

  /** Takes note of entries that are in the log. */
  appended(entries: readonly Entry[], priorities: readonly Priority[], now: number): void {
    this.#touched();
    // Most rooms of an exchange have nobody in them, most of the time.
    if (this.#members.size === 0) this.#flusher.clear();
    else this.#flusher.appended(entries, priorities, now);
  }

  /** Takes in a new member, which is `waiting`, and welcomes it when its turn comes. */
  join(member: Member, now: number): void {
    const { laggards } = this.#shared;
    this.#members.add(member);
    laggards.add(member, this);
    laggards.serve(member, now);
    const waits = member.state.kind === 'waiting';
    if (waits && this.#keeper.isUnreachable(now)) member.recipient.unavailable(now);
  }

  /** Takes in a member that slept. It stands at the head, unless it has a cursor of its own. */
  restore(member: Member, cursor: Cursor | undefined, now: number): void {
    this.#members.add(member);
    const { epoch, head } = this.log;
    const { epoch: ofEpoch, seq } = cursor ?? { epoch, seq: head };
    if (ofEpoch === epoch && seq >= this.flushedUpTo) {
      this.gather(member, seq, now);
      return;
    }
    const place = { epoch: ofEpoch, seq };
    member.state = { kind: 'lagging', cursor: place, stalledSince: undefined, isSlow: true };
    this.#shared.laggards.enqueue(member, this, now);
  }

  remove(member: Member): void {
    this.#members.delete(member);
    this.#shared.laggards.remove(member);
    this.#flusher.remove(member);
    if (this.#members.size === 0) this.#keeper.deserted();
  }

  /** A member may take more than before. */
  wake(member: Member, now: number): void {
    const { kind } = member.state;
    if (kind === 'lagging' || kind === 'receiving') this.#shared.laggards.serve(member, now);
  }

  /** The number up to which a member was sent; undefined while it waits to be welcomed. */
  sentUpTo(member: Member): number | undefined {
    if (member.state.kind === 'lagging') return member.state.cursor.seq;
    if (member.state.kind === 'receiving') return member.state.head;
    return this.#flusher.cursorOf(member);
  }

  /** The cursor of a member that a wake would not find at the head; undefined for all others. */
  placeOf(member: Member): Cursor | undefined {
    if (member.state.kind === 'lagging') return member.state.cursor;
    const seq = this.#flusher.cursorOf(member);
    const isElsewhere = seq !== undefined && seq !== this.log.head;
    return isElsewhere ? { epoch: this.log.epoch, seq } : undefined;
  }

  /** Confirms to a waiting member where it begins, and begins to send it the state if it is new. */
  welcome(member: Member, now: number): boolean {
    const { log } = this;
    const { laggards } = this.#shared;
    if (member.state.kind !== 'waiting') return true;
    const { since } = member.state;
    if (!this.#isUpToDate(member, since, now)) return false;
    log.expire(now);
    const resume = resumeFrom(log, since);
    const { epoch, head } = log;
    const recovered = resume.kind === 'replay';
    if (!recovered && !laggards.affordsState(now)) return false;
    const from = recovered ? resume.from : head;
    const membership = { epoch, head: Math.max(head, from), from, recovered };
    if (!member.recipient.welcome(membership)) return true;
    if (!recovered) {
      const gap = resume.kind === 'gap' ? { from: resume.from, reason: resume.reason } : undefined;
      laggards.sendState(member, gap, this, now);
    } else if (from >= this.flushedUpTo) {
      laggards.remove(member);
      this.gather(member, from, now);
    } else {
      const cursor = { epoch, seq: from };
      member.state = { kind: 'lagging', cursor, stalledSince: undefined, isSlow: false };
      laggards.serve(member, now);
    }
    return true;
  }

  /** Refuses those who wait for the log, because it cannot be had now. */
  refuseWaiting(now: number): void {
    for (const { state, recipient } of [...this.#members]) {
      if (state.kind === 'waiting') recipient.unavailable(now);
    }
  }

  gather(member: Member, cursor: number, now: number): void {
    member.state = { kind: 'current' };
    this.#flusher.add(member, cursor, now);
    this.#touched();
  }

  /** Takes over all that is kept of the room elsewhere. Members go on from their own cursors. */
  refill(saved: SavedLog, now: number): void {
    const { epoch } = this.log;
    const { laggards } = this.#shared;
    for (const member of this.#members) {
      const seq = this.#flusher.cursorOf(member);
      if (seq === undefined) {
        laggards.enqueue(member, this, now);
      } else if (epoch !== saved.epoch || seq < saved.head) {
        this.#flusher.remove(member);
        const cursor = { epoch, seq };
        member.state = { kind: 'lagging', cursor, stalledSince: undefined, isSlow: false };
        laggards.enqueue(member, this, now);
        member.recipient.placeChanged();
      }
    }
    this.#flusher.clear();
    this.log.refill(saved);
  }

  /** Whether it is known where a new member begins. If not, that is asked for. */
  #isUpToDate(member: Member, since: Cursor | undefined, now: number): boolean {
    if (this.lacks(since, now)) return false;
    const isLater = since !== undefined && since.epoch > this.log.epoch;
    if (!isLater || this.#fromLaterEpoch.has(member) || !this.#keeper.catchUp(now)) return true;
    this.#fromLaterEpoch.add(member);
    return false;
  }
}
