/**
 * When components are told: once for each frame that the browser paints, however much came since the
 * last one. Where nothing is painted (a tab in the background, no browser) a timer tells them, so that
 * the title of a tab goes on, too.
 *
 * What waits is a set of stores, each of which keeps a bounded state; so nothing piles up.
 */

/** How often components are told while nothing is painted, ms. Browsers stretch this with time. */
const UNPAINTED_EVERY_MS = 1_000;

export class Frames {
  readonly #due = new Set<() => void>();
  #cancel: (() => void) | undefined;

  /** Calls `tell` at the next frame, once. */
  readonly request = (tell: () => void): void => {
    this.#due.add(tell);
    this.#cancel ??= atNextFrame(this.#tellAll);
  };

  readonly #tellAll = (): void => {
    this.#cancel?.();
    this.#cancel = undefined;
    const due = [...this.#due];
    this.#due.clear();
    for (const tell of due) tell();
  };
}

/** Gives what takes it back. A page may be hidden while it waits for its next frame. */
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
