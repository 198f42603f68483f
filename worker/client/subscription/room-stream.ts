/**
 * What a connection brings of one room, and who reads it. The connection joins where the reader stands
 * that is furthest back, at the rate of the one that wants most; each reader's own cursor drops what
 * it had. The room is asked again, over the open socket, when a reader comes late, finds a hole or
 * changes the rate, one request at a time.
 */
import type { Cursor } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import type { LogFrame } from '../connection/wire.ts';
import type { RoomCursor } from './cursor.ts';
import { SnapshotParts } from './snapshot-parts.ts';

/** What a stream needs of a reader. */
export interface Reader {
  readonly maxRate: MaxRate | undefined;
  readonly place: RoomCursor;
  /** `length`: of the frame's text, in characters. */
  receive(frame: LogFrame, length: number): void;
  showStatus(status: ConnectionStatus): void;
}

/** What a room is asked for: all that any reader lacks, as fast as any wants it. */
export interface Request {
  readonly since?: Cursor;
  readonly maxRate?: MaxRate;
}

export class RoomStream {
  readonly room: string;
  readonly #send: (request: Request) => void;
  #readers: readonly Reader[] = [];
  /** What the room was last asked for. */
  #since: Cursor | undefined;
  #rate: MaxRate | undefined;
  /** Whether the answer to that is yet to come. */
  #isAsking = true;
  readonly #parts = new SnapshotParts();

  /** @param send asks the room over the open socket. */
  constructor(room: string, send: (request: Request) => void) {
    this.room = room;
    this.#send = send;
  }

  get readers(): readonly Reader[] {
    return this.#readers;
  }

  get isAsking(): boolean {
    return this.#isAsking;
  }

  add(reader: Reader): void {
    this.#readers = [...this.#readers, reader];
    this.ask();
  }

  remove(reader: Reader): void {
    this.#readers = this.#readers.filter((other) => other !== reader);
  }

  receive(frame: LogFrame, length: number): void {
    const whole = this.#parts.join(frame, length);
    if (whole) for (const reader of this.#readers) reader.receive(whole.frame, whole.length);
    if (frame.type === 'subscribed') this.#isAsking = false;
  }

  /** Up to where all has arrived; undefined when a snapshot is yet to come. */
  arrivedWith(frame: LogFrame): number | undefined {
    switch (frame.type) {
      case 'events':
        return frame.events.at(-1)?.seq;
      case 'snapshot':
        return frame.seq;
      case 'subscribed':
        // Its `seq` is the room's head: of what was missed nothing has arrived.
        return frame.recovered ? this.#since?.seq : undefined;
      default:
        return undefined;
    }
  }

  /** Asks the room to go on from where its readers stand, if they need that. */
  ask(): void {
    const mustAsk = this.#readers.some(({ place }) => place.mustAsk);
    if (this.#isAsking || (!mustAsk && fastest(this.#readers) === this.#rate)) return;
    this.#isAsking = true;
    this.#send(this.join(true));
  }

  /** What the connection is to join with, by its address or, again, over the open socket. */
  join(isAgain = false): Request {
    const since = this.#readers.map(({ place }) => place.position).reduce(earlier);
    const maxRate = fastest(this.#readers);
    this.#since = since;
    this.#rate = maxRate;
    for (const { place } of this.#readers) place.asked(since, isAgain);
    return { ...(since && { since }), ...(maxRate && { maxRate }) };
  }

  /** The room did not answer what it was asked: it is asked again when it is next heard of. */
  refused(): void {
    this.#isAsking = false;
    for (const { place } of this.#readers) place.refused();
  }

  disconnected(): void {
    this.#isAsking = true;
    for (const { place } of this.#readers) place.disconnected();
  }
}

/** Undefined, that is as fast as the room goes, if any reader wants that. */
function fastest(readers: readonly Reader[]): MaxRate | undefined {
  let rate: MaxRate = 1;
  for (const { maxRate } of readers) {
    if (!maxRate) return undefined;
    if (maxRate > rate) rate = maxRate;
  }
  return rate;
}

/** Undefined, that is a snapshot, if a reader has no place yet. */
function earlier(one: Cursor | undefined, other: Cursor | undefined): Cursor | undefined {
  return one && other && ((one.epoch - other.epoch || one.seq - other.seq) > 0 ? other : one);
}
