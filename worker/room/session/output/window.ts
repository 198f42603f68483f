/**
 * What is on its way to a session that acks, over all its rooms: one queue of what was sent, oldest
 * first. `ack {room, seq}` names a point in that one stream, and everything that was sent before that
 * point has arrived too, in whatever room. What is sent is counted here, because a log cannot tell
 * it: by the time of the ack, the tail may be trimmed, or the latest per key was sent instead.
 */

/**
 * Frames of one room that were sent one after another. Once the room was left, they have no characters
 * any more: they do not wait for an ack, but an ack that names one of them still says what came before.
 */
interface Sent {
  readonly room: string;
  /** The number up to which the first of them goes, and the last. */
  readonly firstUpTo: number;
  upTo: number;
  characters: number;
}

/** What was sent of a room, as saved. */
export type SavedSent = readonly [room: string, upTo: number, characters: number];

/** What may be in flight to a session that acks, in characters: at 100 ms of round trip 2.6 MB/s. */
export const WINDOW_CHARACTERS = 256 * 1024;
/** Frames are counted together up to this size, so that some 16 counters describe a full window. */
const COUNTED_TOGETHER_PARTS = 16;
const COUNTED_TOGETHER = WINDOW_CHARACTERS / COUNTED_TOGETHER_PARTS;

/** How many counters without characters are kept at most. */
const MOST_LEFT = 64;

/** How many of these counters are saved at most. */
export const MOST_SAVED = COUNTED_TOGETHER_PARTS + 1;
/** What was in flight to a session that slept, when it was too much to be saved: any ack frees it. */
const ANY_ROOM = '';

export class Window {
  readonly #sent: Sent[] = [];
  #characters = 0;

  get characters(): number {
    return this.#characters;
  }

  /** Whether nothing more may be sent before an ack. */
  get isFull(): boolean {
    return this.#characters >= WINDOW_CHARACTERS;
  }

  /** Counts a frame that brought the session to `upTo` in `room`. */
  count(room: string, upTo: number, characters: number): void {
    this.#characters += characters;
    const last = this.#sent.at(-1);
    // A room that is numbered anew goes back.
    const isNext = last !== undefined && last.room === room && last.upTo <= upTo;
    if (!isNext || last.characters === 0 || last.characters >= COUNTED_TOGETHER) {
      this.#sent.push({ room, firstUpTo: upTo, upTo, characters });
      return;
    }
    last.upTo = upTo;
    last.characters += characters;
  }

  /** Whether a frame on its way brings the session to `seq` in `room`, as far as that is known. */
  holds(room: string, seq: number): boolean {
    return this.#sent.some((sent) => sent.room === ANY_ROOM || isWithin(sent, room, seq));
  }

  /** Frees what was sent up to the last frame that brought the session to `seq` or less in `room`. */
  acknowledge(room: string, seq: number): void {
    // A room that was left and taken up again at another place may have been sent the number twice.
    const exact = this.#sent.findLastIndex((sent) => isWithin(sent, room, seq));
    const last = exact === -1 ? this.#lastBefore(room, seq) : exact;
    if (last === -1) return;
    // Frames that are counted together are freed together, by the ack of their last one.
    const { room: lastRoom, upTo = 0 } = this.#sent[last] ?? {};
    const isWhole = lastRoom === ANY_ROOM || upTo <= seq;
    const freed = this.#sent.splice(0, isWhole ? last + 1 : last);
    for (const { characters } of freed) this.#characters -= characters;
  }

  /** Frees what was sent of `room`: acks of it may never come, or may mean another lifetime of it. */
  forget(room: string): void {
    for (const sent of this.#sent) {
      if (sent.room !== room) continue;
      this.#characters -= sent.characters;
      sent.characters = 0;
    }
    const left = this.#sent.filter(({ characters }) => characters === 0);
    const tooMany = new Set(left.slice(0, Math.max(0, left.length - MOST_LEFT)));
    const first = this.#sent.findIndex(({ characters }) => characters > 0);
    // What comes before all that waits for an ack says nothing.
    const kept = first === -1 ? [] : this.#sent.slice(first).filter((sent) => !tooMany.has(sent));
    this.#sent.splice(0, this.#sent.length, ...kept);
  }

  /** What fits into an attachment: with many rooms, or with rooms that were left, only how much is in flight. */
  save(): SavedSent[] {
    const isSimple = this.#sent.every(({ characters }) => characters > 0);
    if (!isSimple || this.#sent.length > MOST_SAVED) return [[ANY_ROOM, 0, this.#characters]];
    return this.#sent.map(({ room, upTo, characters }) => [room, upTo, characters]);
  }

  restore(saved: readonly SavedSent[]): void {
    for (const [room, upTo, characters] of saved) {
      this.#sent.push({ room, firstUpTo: upTo, upTo, characters });
      this.#characters += characters;
    }
  }
  #lastBefore(room: string, seq: number): number {
    return this.#sent.findLastIndex(
      (sent) => sent.room === ANY_ROOM || (sent.room === room && sent.firstUpTo <= seq),
    );
  }
}

function isWithin(sent: Sent, room: string, seq: number): boolean {
  return sent.room === room && sent.firstUpTo <= seq && seq <= sent.upTo;
}
