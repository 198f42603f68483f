/**
 * Makes frames from slices, each once: the members of a cohort are given the same slice, and all who
 * join at one head are shown the same parts of the state. What was encoded is remembered for as long
 * as the slice or the part lives.
 */
import { encodeEvents, encodeFrame, encodeSnapshot } from '../../protocol/frames.ts';
import type { Entry } from '../log/entry.ts';
import type { EventsSlice, Slice, StateSlice } from './slice.ts';

export class Frames {
  readonly #room: string;
  readonly #encoded = new WeakMap<Slice, readonly string[]>();
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

function join(entries: readonly Entry[]): string {
  return entries.map(({ text }) => text).join();
}
