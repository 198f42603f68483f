/** What is on its way to a member that acks, and how much may be. */

/** Frames that were sent one after another: up to which number, and how many characters. */
export type SentFrames = readonly [upTo: number, characters: number];

/** In flight to a member that acks, in characters: at 100 ms of round trip 2.6 MB a second. */
export const WINDOW_CHARACTERS = 256 * 1024;
/** Frames are counted together up to this, so that a window takes some 16 of them to know. */
const COUNTED_TOGETHER = WINDOW_CHARACTERS / 16;

/**
 * What is on its way to a member that acks. It is counted as it is sent: what the log still has of
 * it tells too little, once the tail was trimmed or the latest per key was sent.
 */
export class InFlight {
  readonly #sent: [upTo: number, characters: number][];
  #characters = 0;

  constructor(saved: readonly SentFrames[] = []) {
    this.#sent = saved.map(([upTo, characters]) => [upTo, characters]);
    for (const [, characters] of saved) this.#characters += characters;
  }

  get characters(): number {
    return this.#characters;
  }

  /** Whether nothing more may be sent before an ack. */
  get isFull(): boolean {
    return this.#characters >= WINDOW_CHARACTERS;
  }

  send(upTo: number, characters: number): void {
    this.#characters += characters;
    const last = this.#sent.at(-1);
    if (last === undefined || last[1] >= COUNTED_TOGETHER) {
      this.#sent.push([upTo, characters]);
      return;
    }
    last[0] = upTo;
    last[1] += characters;
  }

  acknowledge(seq: number): void {
    for (let [first] = this.#sent; first !== undefined && first[0] <= seq; [first] = this.#sent) {
      this.#sent.shift();
      this.#characters -= first[1];
    }
  }

  clear(): void {
    this.#sent.length = 0;
    this.#characters = 0;
  }

  save(): SentFrames[] {
    return this.#sent.map(([upTo, characters]) => [upTo, characters]);
  }
}
