/** A large snapshot comes in parts. Readers are given it whole, since only the whole is the state. */
import type { LogFrame, ReceivedEvent } from '../connection/wire.ts';

export class SnapshotParts {
  #events: ReceivedEvent[] = [];

  /** Gives a snapshot with its last part, and every other frame as it is. */
  join(frame: LogFrame): LogFrame | undefined {
    // Whatever comes between two parts begins anew.
    const before = this.#events;
    this.#events = [];
    if (frame.type !== 'snapshot') return frame;
    const events = before.concat(frame.events);
    if (!frame.more) return { ...frame, events };
    this.#events = events;
    return undefined;
  }
}
