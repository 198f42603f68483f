/**
 * Where one reader stands in a room's log, and what a frame gives it. Pure: frames in, what is to be
 * told out. Whatever a connection brings, in any order, the reader gets each event at most once,
 * in order, and each loss.
 *
 * 1. Events at or below the cursor are dropped, the rest of their frame is delivered (overlap is cut).
 * 2. Events that begin after the cursor are a hole: nothing is delivered until the room was asked for what
 *    is missing, over the connection that shows the hole. If the hole is still there, that is a gap of
 *    reason `lost`.
 * 3. A `gap` and its snapshot are delivered together, so that a connection that breaks between the two
 *    brings them again instead of losing one.
 * 4. A snapshot without a gap, beyond the cursor, was meant for another reader of the same
 *    connection: a hole, as in 2. One at or below the cursor says nothing new.
 * 5. A greater epoch is a gap, unless `recovered` says that the number asked for holds in it: then the
 *    cursor goes over to it. A smaller one is a gap too when the cursor is one that the caller has
 *    brought, or when the room stays with it over another connection. Until then it is ignored, with
 *    all that follows it, since it may come from a place that has not yet heard of the greater one.
 * 6. A gap whose snapshot is below the cursor: the room is not as far as the cursor, which goes back.
 * 7. A reader that hears a room over several connections, as a client hears `system`, has a cursor for
 *    each of them, and they share one position. Then no connection is the only word on the room: a
 *    `gap` counts only if it begins at the position itself, and from an epoch that a frame has confirmed
 *    nothing goes back. A connection that is further than the position shows a hole, as in 2 and 4.
 *
 * Rejected: one cursor per connection. Readers of one room come at different times and from
 * different places, and only each for itself can say what it has got.
 */
import type { Cursor } from '../../../protocol/frames.ts';
import type { LogFrame, ReceivedEvent } from '../../connection/wire.ts';

/**
 * `(from, to]` cannot be had any more. With a new epoch `from` is of the old one, `to` of the new.
 * Within an epoch `from` is beyond `to` when the room turns out not to be as far as the cursor was.
 */
export interface Gap {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /**
   * The gateway's `epoch` (the log was numbered anew) and `trimmed` (too far behind), `lost` (frames
   * did not join on to each other), or `overflow` (a loop over a subscription was too slow).
   */
  readonly reason: string;
}

/** What the reader gets: first the gap, if there is one. */
export interface Delivery extends Cursor {
  readonly gap?: Gap | undefined;
  /** Whether the events are the state at `seq`, instead of what happened since. */
  readonly snapshot: boolean;
  readonly events: readonly ReceivedEvent[];
}

/** Up to where a reader has got everything. */
export interface Standing {
  position: Cursor | undefined;
  /** Whether a frame has confirmed the position, which its caller may have brought from anywhere. */
  isConfirmed: boolean;
  /** Whether the cursors of several connections move it. */
  readonly isShared: boolean;
}

export class RoomCursor {
  readonly #standing: Standing;
  /** The epoch that this connection sends at present; older than any until it is subscribed. */
  #epoch = -1;
  /** `due`: the room must be asked to go on from the cursor. */
  #request: 'due' | 'sent' | 'answered' = 'due';
  /** The cursor that the room was last asked to go on from. */
  #askedFor: Cursor | undefined;
  /** Whether it was asked over an open socket, and not by the address of a new one. */
  #isAskedAgain = false;
  /** The epoch in which a gap begins. */
  #gapEpoch = -1;
  /** The gap whose snapshot comes next. */
  #reason: string | undefined;
  #dropped = 0;
  /** How many connections in a row have answered with an epoch that is older than the position's. */
  #olderAnswers = 0;
  #goesBack = false;

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  /** Whether the room answers with an older epoch, and is ignored until that ends. */
  get isAhead(): boolean {
    return !this.#goesBack && this.#epoch >= 0 && this.#epoch < (this.position?.epoch ?? 0);
  }

  /** The same, where only this connection can end it. */
  get isStuck(): boolean {
    return this.isAhead && !this.#standing.isShared;
  }

  /** Everything up to it has been delivered; undefined before the first snapshot. */
  get position(): Cursor | undefined {
    return this.#standing.position;
  }

  get mustAsk(): boolean {
    return this.#request === 'due';
  }

  /** Events that came again, and were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The room was asked to go on from `since`, or for a snapshot. */
  asked(since: Cursor | undefined, isAgain: boolean): void {
    this.#request = 'sent';
    this.#askedFor = since;
    this.#isAskedAgain = isAgain;
  }

  /** The room has refused to answer. */
  refused(): void {
    this.#request = 'due';
  }

  advance(frame: LogFrame): Delivery | undefined {
    // An answer to others does not begin what a new reader needs.
    if (this.mustAsk) return undefined;
    const reason = this.#reason;
    this.#reason = undefined;
    if (frame.type !== 'events') this.#epoch = frame.epoch;
    const epoch = this.#epoch;
    const { isShared, isConfirmed } = this.#standing;
    const { epoch: known, seq } = this.position ?? { epoch: 0, seq: 0 };
    const isAskedFor = this.#isAskedFor(known, seq);
    if (frame.type === 'snapshot') this.#gapEpoch = epoch;
    if (frame.type === 'subscribed') {
      this.#request = 'answered';
      this.#gapEpoch = frame.recovered ? epoch : (this.#askedFor?.epoch ?? epoch);
      this.#olderAnswers = epoch < known ? this.#olderAnswers + 1 : 0;
      const isPatient = isShared && isConfirmed;
      this.#goesBack = !isPatient && this.#olderAnswers > Number(isConfirmed);
    }
    if (this.isAhead) return undefined;
    switch (frame.type) {
      case 'gap': {
        // Otherwise it belongs to a reader further back, and what we miss may still be there.
        const isOurs = isShared
          ? frame.from === seq && this.#gapEpoch === known
          : frame.from >= seq || frame.to < seq || isAskedFor;
        if (isOurs) this.#reason = frame.reason;
        return undefined;
      }
      case 'snapshot':
        return this.#follow(frame.seq, true, frame.events, reason);
      case 'events':
        return this.#follow(frame.after, false, frame.events);
      default:
        if (!frame.recovered || !isAskedFor) return undefined;
        this.#moveTo(epoch, seq);
        return { epoch, seq, snapshot: false, events: [] };
    }
  }

  #moveTo(epoch: number, seq: number): void {
    this.#standing.position = { epoch, seq };
    this.#standing.isConfirmed = true;
    this.#goesBack = false;
  }

  /** Events after `after`, or the state there; `reason` is of the gap before that state. */
  #follow(
    after: number,
    isState: boolean,
    events: readonly ReceivedEvent[],
    reason?: string,
  ): Delivery | undefined {
    const epoch = this.#epoch;
    const { position } = this;
    if (!position && !isState) return undefined;
    const joins =
      position?.epoch === epoch && (reason ? after === position.seq : after <= position.seq);
    let gap: Gap | undefined;
    if (position && !joins) {
      const loss = reason ?? this.#lossAt(position);
      if (!loss) {
        if (this.#request === 'answered') this.#request = 'due';
        return undefined;
      }
      gap = { epoch, from: position.seq, to: after, reason: loss };
    }
    const snapshot = isState && !joins;
    const start = joins ? position.seq : after;
    const fresh = snapshot ? events : newerThan(start, events);
    this.#dropped += events.length - fresh.length;
    if (joins && fresh.length === 0) return undefined;
    const seq = (!snapshot && fresh.at(-1)?.seq) || start;
    this.#moveTo(epoch, seq);
    return { epoch, seq, gap, snapshot, events: fresh };
  }

  /** Why what lies before a frame is gone; undefined when it may still be had. */
  #lossAt({ epoch, seq }: Cursor): string | undefined {
    if (this.#epoch > epoch) return 'epoch';
    const wasAsked = this.#isAskedAgain && this.#request === 'answered';
    return wasAsked && this.#isAskedFor(epoch, seq) ? 'lost' : undefined;
  }

  #isAskedFor(epoch: number, seq: number): boolean {
    return this.#askedFor?.epoch === epoch && this.#askedFor.seq === seq;
  }
}

function newerThan(seq: number, events: readonly ReceivedEvent[]): ReceivedEvent[] {
  let last = seq;
  return events.filter((event) => {
    const isNewer = event.seq > last;
    if (isNewer) last = event.seq;
    return isNewer;
  });
}
