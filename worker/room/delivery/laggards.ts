/**
 * Members that do not stand with the others, over all channels of an object: those that do not keep
 * up, those that come from the past, and those that are being sent the state. Each is served by itself, a
 * bounded slice at a time, in one line, so that laggards of one channel never hold up those of
 * another, nor any cohort. A member that takes nothing costs nothing but a look now and then; a
 * member that acks is not even looked at, because its ack brings it back.
 */
import type { Cursor } from '../../protocol/frames.ts';
import { unreachable } from '../../protocol/unreachable.ts';
import type { Entry } from '../log/entry.ts';
import { Budget } from './budget.ts';
import type { Losses } from './losses.ts';
import {
  deliverSlices,
  type Lagging,
  type Member,
  type Receiving,
  type Waiting,
} from './member.ts';
import { type Missed, type ReadableLog, type StateSlice, slicesAfter } from './slice.ts';
import type { State } from './state.ts';

/** Slices in one turn, so that laggards never hold up the others: 64 take some 3 ms. */
const SLICES_PER_TURN = 64;
/** The time between two turns of laggards that take what is delivered, in ms. */
const LAGGARD_TURN = 10;
/** How soon a stalled member is looked at first, in ms: most often only the output gate held it. */
const FIRST_LOOK = 10;
/** How often a member is looked at that stays stalled, in ms: no event says when its backlog drains. */
export const STALL_POLL = 50;
/** A member that takes nothing for so long, in ms, is slow, and may be sent less. */
export const SLOW_AFTER = 250;
/** A member that takes nothing for so long, in ms, is given up, unless its next ack brings it back. */
export const STALL_LIMIT = 30_000;

/** The state that an object may send to new members at once, in characters: a few large rooms. */
const JOINING_BURST = 8 * 1024 * 1024;
/** The state that it may send them each ms, in characters: 16 MB/s. */
const JOINING_PER_MS = 16 * 1024;

/** What serving a laggard needs of its channel. */
export interface LaggardChannel {
  readonly log: ReadableLog & { expire(now: number): void };
  readonly state: Pick<State, 'first' | 'next'>;
  /** The number up to which the members that keep up have been sent. */
  readonly flushedUpTo: number;
  /** Whether a member at `cursor` has to wait until the log is filled. */
  lacks(cursor: Cursor, now: number): boolean;
  /** Welcomes a waiting member, if it can be afforded now. */
  welcome(member: Member, now: number): boolean;
  /** Takes a member that stands at `cursor` in with those that keep up. */
  gather(member: Member, cursor: number, now: number): void;
}

export class Laggards {
  readonly #losses: Losses;
  readonly #joining: Budget;
  /** Those that were served longest ago come first. */
  readonly #line = new Map<Member, LaggardChannel>();
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param joining how many characters of state members may be sent, over all channels. */
  constructor(losses: Losses, joining = new Budget(JOINING_BURST, JOINING_PER_MS)) {
    this.#losses = losses;
    this.#joining = joining;
  }

  /** When they are to be served next, Unix ms. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Puts a member at the end of the line, to be served at once by `serve`. */
  add(member: Member, channel: LaggardChannel): void {
    this.#line.set(member, channel);
  }

  /** Puts a member at the end of the line, to be served in the next turn. */
  enqueue(member: Member, channel: LaggardChannel, now: number): void {
    this.add(member, channel);
    this.#serveBy(now);
  }

  /** Puts a member in the line that took no more of a flush than up to `seq`. */
  fallBehind(member: Member, channel: LaggardChannel, seq: number, now: number): void {
    const cursor = { epoch: channel.log.epoch, seq };
    member.state = { kind: 'lagging', cursor, stalledSince: now, isSlow: false };
    this.add(member, channel);
    member.recipient.placeChanged();
    if (member.recipient.readiness !== 'awaits_ack') this.#serveBy(now + FIRST_LOOK);
  }

  remove(member: Member): void {
    this.#line.delete(member);
  }

  /** A turn: a slice for each member that takes one, as far as a turn goes. */
  run(now: number): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    let slices = 0;
    for (const member of [...this.#line.keys()]) {
      if (slices === SLICES_PER_TURN) {
        this.#serveBy(now + LAGGARD_TURN);
        return;
      }
      if (this.serve(member, now)) slices++;
      this.#moveToEnd(member);
    }
  }

  /** Delivers the next slice to a member of the line, if it takes one. @returns whether it did. */
  serve(member: Member, now: number): boolean {
    const channel = this.#line.get(member);
    if (channel === undefined) return false;
    const { state } = member;
    switch (state.kind) {
      case 'waiting':
        return this.#serveWaiting(member, state, channel, now);
      case 'receiving':
        return this.#continueState(member, state, channel, now);
      case 'lagging':
        return this.#serveNext(member, state, channel, now);
      case 'current':
        this.remove(member);
        return false;
      default:
        return unreachable(state);
    }
  }

  /** A client that asks again and again, and never reads, is not sent the state each time. */
  #serveWaiting(member: Member, state: Waiting, channel: LaggardChannel, now: number): boolean {
    if (member.recipient.readiness === 'full') {
      this.#await(member, state, now);
      return false;
    }
    return channel.welcome(member, now);
  }

  #serveNext(member: Member, state: Lagging, channel: LaggardChannel, now: number): boolean {
    if (member.recipient.readiness !== 'ready') {
      this.#await(member, state, now);
      return false;
    }
    const { log } = channel;
    const { cursor, stalledSince = now } = state;
    if (channel.lacks(cursor, now)) return false;
    const isSlow = state.isSlow || now - stalledSince >= SLOW_AFTER;
    log.expire(now);
    const slices = slicesAfter(log, cursor, isSlow, now);
    if (!Array.isArray(slices)) {
      return this.affordsState(now) && this.sendState(member, slices, channel, now);
    }
    const reached = deliverSlices(member, slices, cursor.seq, this.#losses);
    if (reached === undefined) return false;
    if (slices.length === 0 || reached >= channel.flushedUpTo) {
      this.remove(member);
      channel.gather(member, reached, now);
    } else {
      const next = { epoch: log.epoch, seq: reached };
      member.state = { kind: 'lagging', cursor: next, stalledSince: undefined, isSlow };
      this.#serveBy(now + LAGGARD_TURN);
    }
    member.recipient.placeChanged();
    return slices.length > 0;
  }

  /** Whether a member may be sent a part of a state now; if not, the line is served again soon. */
  affordsState(now: number): boolean {
    const isAffordable = this.#joining.affords(now);
    if (!isAffordable) this.#serveBy(now + LAGGARD_TURN);
    return isAffordable;
  }

  /** Sends a member of the line the first part of the state, after the gap if there is one. */
  sendState(
    member: Member,
    gap: Missed | undefined,
    channel: LaggardChannel,
    now: number,
  ): boolean {
    return this.#deliverState(member, channel.state.first(gap, now), channel, now);
  }

  #continueState(member: Member, state: Receiving, channel: LaggardChannel, now: number): boolean {
    const { epoch, head } = state;
    if (epoch !== channel.log.epoch) {
      const cursor = { epoch, seq: head };
      member.state = { kind: 'lagging', cursor, stalledSince: undefined, isSlow: false };
      return this.serve(member, now);
    }
    if (member.recipient.readiness !== 'ready') {
      this.#await(member, state, now);
      return false;
    }
    if (!this.affordsState(now)) return false;
    return this.#deliverState(member, channel.state.next(state, now), channel, now);
  }

  /** Delivers a part of the state, after which the member takes the next one, or stands at its head. */
  #deliverState(member: Member, slice: StateSlice, channel: LaggardChannel, now: number): boolean {
    const { epoch, head, cursor, entries } = slice;
    this.#joining.spend(charactersOf(entries), now);
    if (!member.recipient.deliver(slice)) return false;
    this.#losses.count(slice);
    if (cursor < head) {
      member.state = { kind: 'receiving', epoch, head, cursor, stalledSince: undefined };
      this.#serveBy(now + LAGGARD_TURN);
    } else if (head >= channel.flushedUpTo) {
      this.remove(member);
      channel.gather(member, head, now);
    } else {
      const at = { epoch, seq: head };
      member.state = { kind: 'lagging', cursor: at, stalledSince: undefined, isSlow: false };
      this.#serveBy(now + LAGGARD_TURN);
    }
    member.recipient.placeChanged();
    return true;
  }

  /** Waits for a member that takes nothing: for its ack, or by looking again, and not for ever. */
  #await(member: Member, state: Waiting | Lagging | Receiving, now: number): void {
    const { stalledSince = now } = state;
    member.state = { ...state, stalledSince };
    if (member.recipient.readiness === 'awaits_ack') return;
    const stalledFor = now - stalledSince;
    if (stalledFor < SLOW_AFTER) {
      this.#serveBy(now + FIRST_LOOK);
    } else if (stalledFor < STALL_LIMIT) {
      this.#serveBy(now + STALL_POLL);
    } else {
      this.#losses.slowConsumers++;
      member.recipient.giveUp();
    }
  }

  #moveToEnd(member: Member): void {
    const channel = this.#line.get(member);
    if (channel === undefined) return;
    this.#line.delete(member);
    this.#line.set(member, channel);
  }

  #serveBy(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}

function charactersOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { text }) => sum + text.length, 0);
}
