/**
 * Members that do not keep up, or come from the past: each a cursor of its own, served from the log a
 * bounded slice at a time, in between. One that takes nothing costs nothing but a look now and then;
 * one that acks is not even looked at, for its ack brings it back.
 */

import type { Log } from '../log/log.ts';
import { awaitsAck, canTake, FIRST_LOOK, SLOW_AFTER, STALL_LIMIT, STALL_POLL } from './flow.ts';
import type { Member } from './member.ts';
import { type Serving, serveLaggard } from './serving.ts';

/** Slices in one turn, so that laggards never hold up the others: 64 take some 3 ms. */
const SLICES_PER_TURN = 64;
/** Between two turns of laggards that take what they are given, in ms. */
const LAGGARD_TURN = 10;

export interface LaggardsPorts {
  readonly room: string;
  readonly log: Log;
  /** As much as the member takes. Up to where; undefined when its socket is broken. */
  readonly send: (member: Member, serving: Serving, from: number) => number | undefined;
  /** From which number on a member lags no more. */
  readonly flushedUpTo: () => number;
  /** It lags no more, or there is nothing for it between its cursor and the others'. */
  readonly caughtUp: (member: Member, cursor: number, now: number) => void;
  /** It has taken nothing for too long, and gives no sign. */
  readonly tooSlow: (member: Member) => void;
}

export class Laggards {
  readonly #ports: LaggardsPorts;
  readonly #cursors = new Map<Member, number>();
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(ports: LaggardsPorts) {
    this.#ports = ports;
  }

  /** When they are to be served next, Unix ms. */
  get dueAt(): number {
    return this.#dueAt;
  }

  get size(): number {
    return this.#cursors.size;
  }

  cursorOf(member: Member): number | undefined {
    return this.#cursors.get(member);
  }

  /** A member that comes from the past. It is to be served. */
  add(member: Member, cursor: number): void {
    this.#cursors.set(member, cursor);
  }

  /** A member that slept with its cursor: it is served in the next turn. */
  restore(member: Member, cursor: number, now: number): void {
    this.#cursors.set(member, cursor);
    this.#serveBy(now);
  }

  /** A member that took no more of a flush. */
  fallBehind(member: Member, cursor: number, now: number): void {
    this.#cursors.set(member, cursor);
    member.stalledAt = now;
    member.attach(this.#ports.log.epoch, cursor);
    if (!awaitsAck(member)) this.#serveBy(now + FIRST_LOOK);
  }

  remove(member: Member): void {
    this.#cursors.delete(member);
  }

  /** A turn: a slice for each that takes one, as far as a turn goes. */
  serveAll(now: number): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    let slices = 0;
    for (const member of [...this.#cursors.keys()]) {
      if (slices === SLICES_PER_TURN) {
        this.#serveBy(now + LAGGARD_TURN);
        return;
      }
      if (this.serve(member, now)) slices++;
      // Those served go to the end of the line.
      const cursor = this.#cursors.get(member);
      if (cursor === undefined) continue;
      this.#cursors.delete(member);
      this.#cursors.set(member, cursor);
    }
  }

  /** One slice for a laggard, if it takes any. Whether something was sent. */
  serve(member: Member, now: number): boolean {
    const cursor = this.#cursors.get(member);
    if (cursor === undefined) return false;
    if (!canTake(member)) {
      this.#awaitRoom(member, now);
      return false;
    }
    const { room, log, send, flushedUpTo, caughtUp } = this.#ports;
    const stalledFor = now - (member.stalledAt ?? now);
    if (stalledFor >= SLOW_AFTER) member.isSlow = true;
    const serving = serveLaggard(room, log, cursor, member.isSlow, now);
    const reached = send(member, serving, cursor);
    if (reached === undefined) return false;
    member.stalledAt = undefined;
    const isServed = serving.slices.length > 0;
    if (!isServed || reached >= flushedUpTo()) {
      this.#cursors.delete(member);
      member.isSlow = false;
      caughtUp(member, reached, now);
      member.attach(log.epoch, reached < flushedUpTo() ? reached : undefined);
    } else {
      this.#cursors.set(member, reached);
      member.attach(log.epoch, reached);
      this.#serveBy(now + LAGGARD_TURN);
    }
    return isServed;
  }

  /** What takes nothing is waited for: an ack by itself, a buffer by looking, and not for ever. */
  #awaitRoom(member: Member, now: number): void {
    member.stalledAt ??= now;
    if (awaitsAck(member)) return;
    const stalledFor = now - member.stalledAt;
    if (stalledFor < SLOW_AFTER) this.#serveBy(now + FIRST_LOOK);
    else if (stalledFor < STALL_LIMIT) this.#serveBy(now + STALL_POLL);
    else this.#ports.tooSlow(member);
  }

  #serveBy(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}
