/** What the chart has drawn, in the colours of a price that has moved up or down. */
import type { Page } from 'playwright-core';

/** How many points are drawn in the colour of each. */
interface Ink {
  readonly up: number;
  readonly down: number;
}

export interface Drawn {
  /** Where the price last moved to, as its large figure has it. */
  readonly direction: 'up' | 'down';
  /** Beside the newest candle, where the label of the price is. */
  readonly label: Ink;
  /** Where the prices of the axis are. */
  readonly axis: Ink;
}

/** Waits for the next move of the price, and until the chart shows it. */
export async function nextMove(page: Page): Promise<Drawn> {
  return page.evaluate(async () => {
    /** Narrower than the room that the chart leaves there, by a candle. */
    const STRIP_PX = 80;
    const frame = () => new Promise(requestAnimationFrame);
    const price = document.querySelector<HTMLElement>('[data-value="price"]');
    const area = document.querySelector<HTMLElement>('.chart-area');
    const cells = area?.querySelectorAll<HTMLElement>('tr:first-child td');
    const canvases = Array.from(cells ?? [], (cell) => cell.querySelector('canvas'));
    const [pane, axis] = canvases.filter((canvas) => canvas !== null && canvas.width > 0);
    if (!price || !area || !pane || !axis) throw new Error('the page has no chart');
    const colorOf = (name: string) => {
      const probe = area.appendChild(document.createElement('i'));
      probe.style.color = `var(--${name})`;
      const numbers = getComputedStyle(probe).color.match(/\d+/g)?.map(Number);
      probe.remove();
      return numbers ?? [];
    };
    const ink = (canvas: HTMLCanvasElement, from: number) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d')?.getImageData(from, 0, width - from, height) ?? {};
      const count = (name: string) => {
        const color = colorOf(name);
        let points = 0;
        for (let at = 0; at < (data?.length ?? 0); at += 4) {
          if (color.every((part, index) => data?.[at + index] === part)) points++;
        }
        return points;
      };
      return { up: count('up'), down: count('down') };
    };
    for (;;) {
      const before = price.textContent;
      while (price.textContent === before || price.dataset.direction === '0') await frame();
      const shown = price.textContent;
      await frame();
      await frame();
      if (price.textContent !== shown) continue;
      return {
        direction: price.dataset.direction === '1' ? 'up' : 'down',
        label: ink(pane, pane.width - STRIP_PX),
        axis: ink(axis, 0),
      };
    }
  });
}
