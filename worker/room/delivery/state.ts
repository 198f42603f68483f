/**
 * The state of a log as it is sent to new members, a part at a time: whole, it may have 2 MB, which a
 * client that does not read would make us hold. A part is made once for all who
 * stand at the same place, for as long as the log is the same, so that a thousand members that come
 * back together cost one of each.
 *
 * A number says what a member has been sent, as everywhere else: a keyed log keeps the latest
 * entries in the order of their numbers, so a part is the oldest of what is left. An entry that is
 * replaced while the parts are given is left out, since what replaced it comes afterwards, as an event.
 * So no state is held for a member that takes long. Rejected: a copy of the state for each member,
 * which 2,000 slow clients would fill an object's memory with.
 */
import type { Entry } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import { type Missed, type StateSlice, statePart } from './slice.ts';

/** A place in the state at `head`. */
export interface StatePlace {
  readonly head: number;
  readonly cursor: number;
}

export class State {
  readonly #log: Pick<Log, 'epoch' | 'head' | 'isKeyed' | 'snapshot' | 'stateAfter'>;
  /** The snapshot that the parts below are of: another one means that the log has changed. */
  #snapshot: readonly Entry[] = [];
  readonly #parts = new Map<string, StateSlice>();

  constructor(log: Pick<Log, 'epoch' | 'head' | 'isKeyed' | 'snapshot' | 'stateAfter'>) {
    this.#log = log;
  }

  /** The first part of the state at the head; `gap` is what its reader is sent before. */
  first(gap: Missed | undefined, now: number): StateSlice {
    const { head } = this.#log;
    const oldest = this.#log.snapshot(now)[0]?.seq ?? head + 1;
    const part = this.next({ head, cursor: oldest - 1 }, now);
    return gap === undefined ? part : { ...part, gap };
  }

  /** The part after `place`. */
  next(place: StatePlace, now: number): StateSlice {
    const snapshot = this.#log.snapshot(now);
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#parts.clear();
    }
    const key = `${place.head} ${place.cursor}`;
    let part = this.#parts.get(key);
    if (part === undefined || this.#hasExpired(part, now)) {
      part = statePart(this.#log, place, now);
      this.#parts.set(key, part);
    }
    return part;
  }

  /** A slow reader is still owed entries that a new one is not, and these may expire first. */
  #hasExpired({ entries }: StateSlice, now: number): boolean {
    return !this.#log.isKeyed && entries.some(({ expiresAt }) => expiresAt <= now);
  }
}
