/**
 * A channel: one room as this object serves it, which is a log and the members that read it. The log
 * is the room's own, or a mirror that follows the room elsewhere; the channel does not know which.
 * What the channels of an object share comes in from outside.
 */
import type { Policy } from '../policy.ts';
import type { Priority } from '../protocol/events.ts';
import type { Cursor } from '../protocol/frames.ts';
import { Flusher } from './delivery/flusher.ts';
import { Frames } from './delivery/frames.ts';
import type { LaggardChannel, Laggards } from './delivery/laggards.ts';
import type { Losses } from './delivery/losses.ts';
import type { Member } from './delivery/member.ts';
import type { Pace } from './delivery/pace.ts';
import { State } from './delivery/state.ts';
import type { Entry } from './log/entry.ts';
import type { Log } from './log/log.ts';
import { resumeFrom } from './log/resume.ts';

/** What is the object's, and not one channel's. */
export interface SharedDelivery {
  readonly pace: Pace;
  readonly laggards: Laggards;
  readonly losses: Losses;
}

export class Channel implements LaggardChannel {
  readonly room: string;
  readonly log: Log;
  readonly frames: Frames;
  readonly state: State;
  readonly #shared: SharedDelivery;
  readonly #flusher: Flusher;
  readonly #members = new Set<Member>();

  constructor(
    room: string,
    log: Log,
    policy: Pick<Policy, 'flushInterval'>,
    shared: SharedDelivery,
  ) {
    const { pace, losses, laggards } = shared;
    this.room = room;
    this.log = log;
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

  run(now: number): void {
    this.#flusher.run(now);
  }

  /** Takes note of entries that are in the log. */
  appended(entries: readonly Entry[], priorities: readonly Priority[], now: number): void {
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
    const isShort = seq !== undefined && seq < this.log.head;
    return isShort ? { epoch: this.log.epoch, seq } : undefined;
  }

  /** Tells a waiting member where it begins, and begins to show it the state if it is new. */
  welcome(member: Member, now: number): boolean {
    const { log } = this;
    const { laggards } = this.#shared;
    if (member.state.kind !== 'waiting') return true;
    log.expire(now);
    const resume = resumeFrom(log, member.state.since);
    const { epoch, head } = log;
    const recovered = resume.kind === 'replay';
    if (!recovered && !laggards.affordsState(now)) return false;
    const from = recovered ? resume.from : head;
    if (!member.recipient.welcome({ epoch, head, from, recovered })) return true;
    if (!recovered) {
      const gap = resume.kind === 'gap' ? { from: resume.from, reason: resume.reason } : undefined;
      laggards.showState(member, gap, this, now);
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

  gather(member: Member, cursor: number, now: number): void {
    member.state = { kind: 'current' };
    this.#flusher.add(member, cursor, now);
  }

  /**
   * The log begins another epoch at `head` while members read it. Their cursors are of the epoch
   * before, so each of them is told of a gap when it is served next.
   */
  renumber(epoch: number, head: number, now: number): void {
    for (const member of this.#members) {
      const seq = this.#flusher.cursorOf(member);
      if (seq === undefined) continue;
      const cursor = { epoch: this.log.epoch, seq };
      this.#flusher.remove(member);
      member.state = { kind: 'lagging', cursor, stalledSince: undefined, isSlow: false };
      this.#shared.laggards.enqueue(member, this, now);
      member.recipient.placeChanged();
    }
    this.#flusher.clear();
    this.log.renumber(epoch, head);
  }
}
