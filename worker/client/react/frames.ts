/**
 * When components are notified of changes: once for each frame that the browser paints, however much came
 * since the last one. Where nothing is painted (a tab in the background, no browser) a timer notifies them,
 * so that the title of a tab goes on, too.
 *
 * What waits is a set of stores, each of which keeps a bounded state; so nothing piles up.
 */

/** How often components are notified while nothing is painted, ms. Browsers stretch this with time. */
const UNPAINTED_EVERY_MS = 1_000;

export class Frames {
  readonly #due = new Set<() => void>();
  #cancel: (() => void) | undefined;

  /** Calls `notify` at the next frame, once. */
  readonly request = (notify: () => void): void => {
    this.#due.add(notify);
    this.#cancel ??= atNextFrame(this.#notifyAll);
  };

  readonly #notifyAll = (): void => {
    this.#cancel?.();
    this.#cancel = undefined;
    const due = [...this.#due];
    this.#due.clear();
    for (const notify of due) notify();
  };
}

/** @returns a function that takes the request back. A page may be hidden while it waits for its next frame. */
function atNextFrame(callback: () => void): () => void {
  const { requestAnimationFrame } = globalThis;
  const frame = requestAnimationFrame?.(callback);
  const timer = setInterval(() => {
    if (frame === undefined || globalThis.document?.visibilityState === 'hidden') callback();
  }, UNPAINTED_EVERY_MS);
  return () => {
    clearInterval(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}
