/**
 * How soon the next POST may follow. A room keeps the id of each batch for as long as a replay would
 * pass the signature's tolerance, and when it can keep no more it answers 429. From then on POSTs
 * keep a distance at which the room forgets as many ids as it learns; what is published meanwhile
 * shares one POST, and one id.
 */
import { TOLERANCE_SECONDS } from '../../../worker/protocol/batch/signature.ts';

/** A room keeps a thousand ids for the five minutes of the tolerance, so POSTs keep this distance, in ms. */
const SPACING_MS = 300;
/** By then the room has forgotten every id that it knew when it refused. */
const SPACED_FOR_MS = TOLERANCE_SECONDS * 1000;

export class PostPace {
  readonly #now: () => number;
  /** All of these are Unix ms. */
  #lastPostAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #spacedUntil = Number.NEGATIVE_INFINITY;
  #askedMs = 0;

  /** @param now Unix ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A POST leaves. */
  notePost(): void {
    this.#lastPostAt = this.#now();
  }

  /** A POST came too soon. @param retryAfterMs what was asked for. */
  slowDown(retryAfterMs: number): void {
    const now = this.#now();
    this.#askedMs = retryAfterMs;
    this.#notBefore = now + retryAfterMs;
    this.#spacedUntil = now + SPACED_FOR_MS;
  }

  /** How long the next POST has to wait, in ms. */
  delayMs(): number {
    const now = this.#now();
    const asked = bounded(this.#notBefore - now, this.#askedMs);
    if (now >= this.#spacedUntil) return asked;
    return Math.max(asked, bounded(this.#lastPostAt + SPACING_MS - now, SPACING_MS));
  }
}

/** A clock that was set back must not hold a publisher up. */
function bounded(ms: number, most: number): number {
  return Math.min(Math.max(ms, 0), most);
}
