/**
 * What a socket brings of one room, and who reads it. The room is joined where the reader stands that is
 * furthest back, at the rate of the one that wants most; each reader's own cursor drops what it had. The
 * room is asked again, over the open socket, when a reader comes late, finds a hole or changes the rate,
 * one request at a time.
 *
 * On a socket of several rooms a room may be left and joined again while answers are on their way. So
 * whoever joins passes over everything until the `subscribed` that has the id of its own request.
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
  #readers: readonly Reader[] = [];
  /** What the room was last asked for. */
  #since: Cursor | undefined;
  #rate: MaxRate | undefined;
  /** The id of the last request. */
  #id: string | undefined;
  /** Whether the answer to that is yet to come. */
  #isAsking = false;
  /** Whether the gateway may have this socket in the room. */
  #isJoined = false;
  /** Whether what comes of the room is for us. */
  #isLive = false;
  readonly #parts = new SnapshotParts();

  get readers(): readonly Reader[] {
    return this.#readers;
  }

  get isAsking(): boolean {
    return this.#isAsking;
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Whether the readers need something that the room was not asked for. */
  get isDue(): boolean {
    const mustAsk = this.#readers.some(({ place }) => place.mustAsk);
    return !this.#isAsking && (mustAsk || fastest(this.#readers) !== this.#rate);
  }

  /** Whether a refusal is of what we have: of the request that has its id, or of the whole stream. */
  isOf(id: string | undefined): boolean {
    return id === undefined ? this.#isLive : this.#isAsking && id === this.#id;
  }

  add(reader: Reader): void {
    this.#readers = [...this.#readers, reader];
  }

  remove(reader: Reader): void {
    this.#readers = this.#readers.filter((other) => other !== reader);
  }

  /** What the room is to be asked, by a request of that id, or by the address of a new socket. */
  join(id?: string): Request {
    const since = this.#readers.map(({ place }) => place.position).reduce(earlier);
    const maxRate = fastest(this.#readers);
    this.#since = since;
    this.#rate = maxRate;
    this.#id = id;
    this.#isAsking = this.#isJoined = true;
    for (const { place } of this.#readers) place.asked(since, this.#isLive);
    return { ...(since && { since }), ...(maxRate && { maxRate }) };
  }

  /** Gives whether the frame was for us. */
  receive(frame: LogFrame, length: number): boolean {
    const isAnswer = frame.type === 'subscribed';
    if (!this.#isLive && (!isAnswer || frame.id !== this.#id)) return false;
    this.#isLive = true;
    const whole = this.#parts.join(frame, length);
    if (whole) for (const reader of this.#readers) reader.receive(whole.frame, whole.length);
    if (isAnswer) this.#isAsking = false;
    return true;
  }

  /** Up to where all has arrived, for an ack; undefined when one would mean nothing. */
  arrivedWith(frame: LogFrame): number | undefined {
    if (this.#isAsking) return undefined;
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

  /** The request has come to nothing, and may be made anew. */
  failed(isJoined: boolean): void {
    this.#isAsking = this.#isLive = false;
    this.#isJoined = isJoined;
    for (const { place } of this.#readers) place.refused();
  }

  disconnected(): void {
    this.failed(false);
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
