/**
 * Makes frames from slices, each once: the members of a cohort are given the same slice, and all who
 * join at one head are sent the same parts of the state. What was encoded is remembered for as long
 * as the slice or the part lives.
 */
import { encodeEvents, encodeFrame, encodeSnapshot, withTimes } from '../../protocol/frames.ts';
import type { Entry } from '../log/entry.ts';
import { timesOf } from '../log/times.ts';
import { type EventsSlice, MAX_FRAME_CHARACTERS, type Slice, type StateSlice } from './slice.ts';

export class Frames {
  readonly #room: string;
  readonly #encoded = new WeakMap<Slice, readonly string[]>();
  readonly #traced = new WeakMap<EventsSlice, readonly string[]>();
  readonly #snapshots = new WeakMap<readonly Entry[], string>();

  constructor(room: string) {
    this.#room = room;
  }

  /** The frames of a slice, in the order in which they are sent. */
  of(slice: Slice): readonly string[] {
    const known = this.#encoded.get(slice);
    if (known !== undefined) return known;
    const frames = slice.kind === 'events' ? [this.#events(slice)] : this.#state(slice);
    this.#encoded.set(slice, frames);
    return frames;
  }

  /** The same for those who ask for the times of events (R15). */
  traced(slice: Slice): readonly string[] {
    if (slice.kind === 'state') return this.of(slice);
    const known = this.#traced.get(slice);
    if (known !== undefined) return known;
    const { after, entries } = slice;
    const [plain = ''] = this.of(slice);
    const timed = joinTimed(entries, MAX_FRAME_CHARACTERS - plain.length);
    const frames = [encodeEvents(this.#room, after, timed)];
    this.#traced.set(slice, frames);
    return frames;
  }

  #events({ after, entries }: EventsSlice): string {
    return encodeEvents(this.#room, after, join(entries));
  }

  #state({ epoch, head, cursor, entries, gap }: StateSlice): string[] {
    const room = this.#room;
    let snapshot = this.#snapshots.get(entries);
    if (snapshot === undefined) {
      snapshot = encodeSnapshot(room, epoch, head, join(entries), cursor < head);
      this.#snapshots.set(entries, snapshot);
    }
    if (gap === undefined) return [snapshot];
    return [encodeFrame({ type: 'gap', room, epoch, to: head, ...gap }), snapshot];
  }
}

/** @param space how many characters the times may have: what is beyond goes without. */
function joinTimed(entries: readonly Entry[], space: number): string {
  let left = space;
  const texts = entries.map((entry) => {
    const { text } = entry;
    const times = timesOf(entry);
    const timed = times === undefined ? text : withTimes(text, times);
    const more = timed.length - text.length;
    if (more > left) return text;
    left -= more;
    return timed;
  });
  return texts.join();
}

function join(entries: readonly Entry[]): string {
  return entries.map(({ text }) => text).join();
}
