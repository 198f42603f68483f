/**
 * Acks, counted over all rooms of a socket: one after each half window, so that what is on its way stays
 * bounded and no room waits for long. An ack names the newest frame of whatever room; everything that
 * was sent before that has arrived too. The gateway forgets what was on its way of a room that is asked
 * anew or left, so no frame from before that is named.
 */
export interface Ack {
  readonly room: string;
  readonly seq: number;
}

export class Acks {
  /** What may be on its way without an ack, in characters; 0 or NaN when nobody counts. */
  #window = 0;
  #unacked = 0;
  /** What an ack may name; undefined when the gateway may have forgotten what it has sent of some rooms. */
  newest: Ack | undefined;

  begin(window: number): void {
    this.#window = window;
    // The first ack makes the gateway count, so it is due at once.
    this.#unacked = window;
    this.newest = undefined;
  }

  /** Counts a message, after its frames; gives the ack that is due. */
  count(characters: number): Ack | undefined {
    this.#unacked += characters;
    const ack = this.newest;
    if (!ack || !this.#window || this.#unacked < this.#window / 2) return undefined;
    this.#unacked = 0;
    this.newest = undefined;
    return ack;
  }
}
