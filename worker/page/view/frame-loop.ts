/**
 * Draws when something has come, once for each picture of the screen at most: whatever has come since the
 * last one, panels show the state of now. As long as nothing comes, the browser has nothing to do. In a
 * page that nobody sees it asks for no pictures, and nothing is drawn.
 */

/** Draws what has changed. @returns whether anything has. */
export type Panel = (now: number) => boolean;

interface Loop {
  readonly panels: readonly Panel[];
  /**
   * Those that only hand on what has changed, to a library that asks for a frame by itself. They do so
   * before the frame begins, so that it is one and the same.
   */
  readonly ahead: readonly Panel[];
  /** Something was drawn, and is on the screen. */
  readonly painted: (now: number) => void;
}

/** How often panels are asked that show what passes with time, ms. */
const LOOK_MS = 100;

/** @returns what has to be called when something has come. */
export function startFrameLoop({ panels, ahead, painted }: Loop): () => void {
  // A task that is posted within a frame runs after the frame is painted.
  const afterPaint = new MessageChannel();
  afterPaint.port1.onmessage = () => painted(performance.now());
  let isAsked = false;
  let hasDrawn = false;
  const drawAll = (some: readonly Panel[], now: number) => {
    for (const panel of some) hasDrawn = panel(now) || hasDrawn;
  };
  const draw = (now: number) => {
    isAsked = false;
    drawAll(panels, now);
    if (hasDrawn) afterPaint.port2.postMessage(undefined);
    hasDrawn = false;
  };
  const ask = () => {
    if (document.visibilityState === 'hidden') return;
    drawAll(ahead, performance.now());
    if (!isAsked) requestAnimationFrame(draw);
    isAsked = true;
  };
  setInterval(ask, LOOK_MS);
  return ask;
}

interface Model {
  /** How often it has changed. */
  readonly changes: number;
}

export function whenChanged(models: Model | readonly Model[], draw: (now: number) => void): Panel {
  let drawn = -1;
  return (now) => {
    const changes = [models].flat().reduce((sum, model) => sum + model.changes, 0);
    if (drawn === changes) return false;
    drawn = changes;
    draw(now);
    return true;
  };
}

/** A panel of numbers that people read: it changes a few times a second. */
export function every(ms: number, draw: (now: number) => void): Panel {
  let drawnAt = Number.NEGATIVE_INFINITY;
  return (now) => {
    if (now - drawnAt < ms) return false;
    drawnAt = now;
    draw(now);
    return false;
  };
}
