/**
 * What a client says while its token is checked. A session's messages are obeyed in their order, so that
 * a `subscribe` is judged by the token that was sent before it. What waits is lost with the object, and
 * then so is the socket; and an object does not sleep while a check is pending.
 */

/** How many messages wait at most. */
const MAX_WAITING = 64;

type Data = string | ArrayBuffer;

export class Inbox {
  /** The most that waits, in characters. */
  readonly #maxLength: number;
  #waiting: Data[] = [];
  #length = 0;
  #isHeld = false;

  /** @param messageLength the longest message that is read, in characters. Two of them may wait. */
  constructor(messageLength: number) {
    this.#maxLength = 2 * messageLength;
  }

  /** Whether messages wait. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** From now on messages wait. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Messages wait no more; those that have waited are taken by `next`. */
  release(): void {
    this.#isHeld = false;
  }

  /** Takes a message in that is to wait. False when that is too much. */
  add(data: Data): boolean {
    this.#length += lengthOf(data);
    if (this.#waiting.length >= MAX_WAITING || this.#length > this.#maxLength) return false;
    this.#waiting.push(data);
    return true;
  }

  /** The message that has waited longest; undefined when there is none, or when all are to wait. */
  next(): Data | undefined {
    if (this.#isHeld) return undefined;
    const data = this.#waiting.shift();
    if (data !== undefined) this.#length -= lengthOf(data);
    return data;
  }
}

function lengthOf(data: Data): number {
  return typeof data === 'string' ? data.length : data.byteLength;
}
