/** Marks a value that has just moved, for a moment. */

const DURATION_MS = 500;
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const running = new WeakMap<Element, Animation>();

/** @param direction 1 up, -1 down. */
export function flash(element: HTMLElement, direction: number): void {
  if (calm.matches) return;
  running.get(element)?.cancel();
  const color = `var(--flash-${direction < 0 ? 'down' : 'up'})`;
  const frames = [{ backgroundColor: color }, { backgroundColor: 'transparent' }];
  running.set(element, element.animate(frames, { duration: DURATION_MS, easing: 'ease-out' }));
}
