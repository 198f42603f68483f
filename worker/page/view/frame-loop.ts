/**
 * Draws once for each picture of the screen: whatever has come since, panels show the state of now. In a
 * page that nobody sees the browser asks for no pictures, and nothing is drawn.
 */

/** Draws what has changed. @returns whether anything has. */
export type Panel = (now: number) => boolean;

interface Loop {
  readonly panels: readonly Panel[];
  /** Something was drawn, and is on the screen. */
  readonly painted: (now: number) => void;
}

export function runFrameLoop({ panels, painted }: Loop): void {
  // A task that is posted within a frame runs after the frame is painted.
  const afterPaint = new MessageChannel();
  afterPaint.port1.onmessage = () => painted(performance.now());
  const draw = (now: number) => {
    let hasDrawn = false;
    for (const panel of panels) hasDrawn = panel(now) || hasDrawn;
    if (hasDrawn) afterPaint.port2.postMessage(undefined);
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}

interface Model {
  /** How often it has changed. */
  readonly changes: number;
}

export function whenChanged(models: Model | readonly Model[], draw: () => void): Panel {
  let drawn = -1;
  return () => {
    const changes = [models].flat().reduce((sum, model) => sum + model.changes, 0);
    if (drawn === changes) return false;
    drawn = changes;
    draw();
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
