/** A large snapshot comes in parts. Readers are given it whole, since only the whole is the state. */
import type { NumberedEvent } from '../../protocol/frames.ts';
import type { LogFrame } from '../connection/wire.ts';

export class SnapshotParts {
  #events: NumberedEvent[] = [];
  #length = 0;

  /** Gives a snapshot with its last part, and every other frame as it is; `length` is that of all. */
  join(frame: LogFrame, length: number): { frame: LogFrame; length: number } | undefined {
    // Whatever comes between two parts begins anew.
    const before = frame.type === 'snapshot' ? this.#events : [];
    const total = before.length === 0 ? length : this.#length + length;
    this.#events = [];
    if (frame.type !== 'snapshot') return { frame, length };
    const events = before.concat(frame.events);
    if (!frame.more) return { frame: { ...frame, events }, length: total };
    this.#events = events;
    this.#length = total;
    return undefined;
  }
}
