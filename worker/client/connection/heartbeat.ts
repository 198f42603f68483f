/**
 * Tells a connection that is dead from one that has nothing to say. A half-open one (the other side
 * gone without a word, a laptop that slept, a phone that changed networks) looks alive for minutes,
 * so a `ping` goes out at times and any frame within a bound is the answer. The gateway answers
 * pings without waking the room.
 *
 * It is asked every few seconds. An asking that comes much too late, or before its time, tells that
 * the clock jumped or that timers were held back: then a ping goes out at once, and the silence of
 * the sleep is held against the connection only if that second ping too finds no answer.
 */

import type { PING } from '../../protocol/frames.ts';

/** How often `tick` is to be called: a sleep is noticed within so long of its end. */
export const TICK_MS = 5_000;
/** Middleboxes forget connections after 30 s and more. */
const PING_EVERY_MS = 25_000;
/** A phone's radio needs a few seconds to wake, a room that starts two more. */
const ANSWER_WITHIN_MS = 10_000;
/** A tick later than this is no busy page: time has jumped, or the tab is throttled. */
const JUMP_MS = 10_000;

/** Undefined: there is nothing to do. */
export type Pulse = typeof PING | 'dead' | undefined;

export class Heartbeat {
  #tickedAt: number;
  #pingedAt: number;
  /** Pings that nothing has answered. */
  #unanswered = 0;

  constructor(now: number) {
    this.#tickedAt = now;
    this.#pingedAt = now;
  }

  /** Something has arrived. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** There is reason to doubt: what to do now. A ping under way is not repeated. */
  doubt(now: number): Pulse {
    return this.#unanswered ? undefined : this.#ping(now);
  }

  tick(now: number): Pulse {
    const elapsed = now - this.#tickedAt;
    this.#tickedAt = now;
    const jumped = elapsed < 0 || elapsed > TICK_MS + JUMP_MS;
    const bound = this.#unanswered ? ANSWER_WITHIN_MS : PING_EVERY_MS;
    if (!jumped && now - this.#pingedAt < bound) return undefined;
    return this.#unanswered > (jumped ? 1 : 0) ? 'dead' : this.#ping(now);
  }

  #ping(now: number): Pulse {
    this.#pingedAt = now;
    this.#unanswered++;
    return 'ping';
  }
}
