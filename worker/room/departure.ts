/**
 * How an object takes on a newer version of the Worker. Left alone, the platform would reset it some
 * minutes after a deploy, together with all others, and that is a crash: rooms in memory would lose
 * their tails, and all clients would come back at once. So an object that has learned of a newer version
 * chooses a moment at random. At the end of the first turn after it, the object saves everything, tells
 * each client when to come back, closes its socket and ends itself. The next call wakes it with the newer
 * code, in the same epoch, and nobody has missed anything.
 *
 * No timer is kept for that moment. An object that has no turn for ten seconds hibernates, and so it
 * wakes with the newer code and keeps its sockets; a timer would keep it from that.
 */

/** An object leaves within this time after it has learned of a newer version, in ms. */
export const LEAVES_WITHIN = 240_000;
/**
 * A version that an object learns of so soon after its start, in ms, was there before it. Then the
 * platform has started it with the older code nevertheless, because a deploy is gradual or has not come
 * to it yet, and it would do so again.
 */
export const STARTING_TIME = 5_000;
/** Clients come back within this time, in ms: 2,000 of them are 400 upgrades a second. */
export const COME_BACK_WITHIN = 5_000;

/** What is saved when it is idle, and now has to be saved at once. */
interface Savable {
  saveAll(now: number): void;
}

export interface DeparturePorts {
  /** When the version that runs here was made, Unix ms; undefined when that is not known. */
  readonly version: number | undefined;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Ends the object, when all has been written and sent. */
  readonly leave: () => void;
}

export interface Leaving {
  readonly saved: readonly Savable[];
  readonly sessions: { shutDown(comeBackIn: () => number): void };
}

export class Departure {
  readonly #ports: DeparturePorts;
  readonly #leaving: Leaving;
  readonly #startedAt: number;
  #newest: number | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(ports: DeparturePorts, leaving: Leaving, now: number) {
    this.#ports = ports;
    this.#leaving = leaving;
    this.#startedAt = now;
    this.#newest = ports.version;
  }

  /** The newest version that is known here, Unix ms. */
  get newest(): number | undefined {
    return this.#newest;
  }

  /** A call has come whose caller knows this version, if any. */
  learn(version: number | undefined, now: number): void {
    if (version === undefined || this.#newest === undefined || version <= this.#newest) return;
    this.#newest = version;
    if (now - this.#startedAt < STARTING_TIME) return;
    this.#at = Math.min(this.#at, now + this.#ports.random() * LEAVES_WITHIN);
  }

  /** Leaves, if it is time to. */
  run(now: number): void {
    if (now < this.#at) return;
    this.#at = Number.POSITIVE_INFINITY;
    const { saved, sessions } = this.#leaving;
    for (const part of saved) part.saveAll(now);
    sessions.shutDown(() => Math.floor(this.#ports.random() * COME_BACK_WITHIN));
    this.#ports.leave();
  }
}
