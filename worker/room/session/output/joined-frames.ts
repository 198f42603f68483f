/**
 * Joins frames that leave as one message of a relay. Many sockets of a relay read the same rooms, so a
 * message is made once for all that are sent the same frames, and they share its text in memory, too.
 */

/** How many messages are remembered: looking through them has to stay cheaper than making one. */
const MOST_REMEMBERED = 16;

interface Message {
  readonly frames: readonly string[];
  readonly text: string;
}

/** What is remembered in one turn. */
export class JoinedFrames {
  /** The newest first. */
  readonly #messages: Message[] = [];

  /** The message that has these frames. */
  join(frames: readonly string[]): string {
    const known = this.#messages.find((message) => areSame(message.frames, frames));
    if (known !== undefined) return known.text;
    const text = `[${frames.join()}]`;
    this.#messages.unshift({ frames, text });
    if (this.#messages.length > MOST_REMEMBERED) this.#messages.pop();
    return text;
  }
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((frame, index) => frame === others[index]);
}
