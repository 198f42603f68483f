/**
 * What is on its way to a session that acks, over all its rooms: one queue of what was sent, oldest
 * first. `ack {room, seq}` names a point in that one stream, and everything that was sent before that
 * point has arrived too, in whatever room. What is sent is counted here, because a log cannot tell
 * it: by the time of the ack, the tail may be trimmed, or the latest per key was sent instead.
 */

/** Frames of one room that were sent one after another. */
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
/** Frames are counted together up to this size, so that some 16 counters tell a full window. */
const COUNTED_TOGETHER_PARTS = 16;
const COUNTED_TOGETHER = WINDOW_CHARACTERS / COUNTED_TOGETHER_PARTS;

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
    if (!isNext || last.characters >= COUNTED_TOGETHER) {
      this.#sent.push({ room, firstUpTo: upTo, upTo, characters });
      return;
    }
    last.upTo = upTo;
    last.characters += characters;
  }

  /** Frees what was sent up to the last frame that brought the session to `seq` or less in `room`. */
  acknowledge(room: string, seq: number): void {
    const last = this.#sent.findLastIndex(
      (sent) => sent.room === ANY_ROOM || (sent.room === room && sent.firstUpTo <= seq),
    );
    if (last === -1) return;
    // Frames that are counted together are freed together, by the ack of their last one.
    const { room: lastRoom, upTo = 0 } = this.#sent[last] ?? {};
    const isWhole = lastRoom === ANY_ROOM || upTo <= seq;
    const freed = this.#sent.splice(0, isWhole ? last + 1 : last);
    for (const { characters } of freed) this.#characters -= characters;
  }

  /** Frees what was sent of `room`: acks of it may never come, or may mean another lifetime of it. */
  forget(room: string): void {
    const kept = this.#sent.filter((sent) => sent.room !== room);
    this.#sent.length = 0;
    this.#characters = 0;
    for (const sent of kept) {
      this.#sent.push(sent);
      this.#characters += sent.characters;
    }
  }

  /** So little that it fits into an attachment; with many rooms, only how much there is. */
  save(): SavedSent[] {
    if (this.#sent.length > MOST_SAVED) return [[ANY_ROOM, 0, this.#characters]];
    return this.#sent.map(({ room, upTo, characters }) => [room, upTo, characters]);
  }

  restore(saved: readonly SavedSent[]): void {
    for (const [room, upTo, characters] of saved) {
      this.#sent.push({ room, firstUpTo: upTo, upTo, characters });
      this.#characters += characters;
    }
  }
}
