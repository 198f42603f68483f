/**
 * Marks a value that has just moved, for a moment. The mark does not fade: an animation would have the
 * browser draw pictures in which nothing else is new.
 */
import { setData } from './dom.ts';

const DURATION_MS = 400;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class Flash {
  readonly #element: HTMLElement;
  #endsAt = 0;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** @param direction 1 up, -1 down. */
  start(direction: number, now: number): void {
    if (calm.matches) return;
    setData(this.#element, 'flash', direction < 0 ? 'down' : 'up');
    this.#endsAt = now + DURATION_MS;
  }

  /** Ends it when its time has passed. */
  look(now: number): void {
    if (now >= this.#endsAt) setData(this.#element, 'flash', 'none');
  }
}
