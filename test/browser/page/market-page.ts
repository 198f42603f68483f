/** The live page of a local stack in Chromium, and what it shows. */
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { letHide } from '../support/background.ts';
import { openProfile } from '../support/chromium.ts';
import { Line } from '../support/line.ts';

/** A picture of the README: everything is on it. */
const VIEWPORT = { width: 1600, height: 900 };

interface Seen {
  /** What moved although nobody had touched anything. */
  readonly shifts: string[];
  readonly violations: string[];
}

/** What has moved, of an entry of `layout-shift`. */
interface Shift {
  readonly node: Node | null;
  readonly previousRect: DOMRectReadOnly;
  readonly currentRect: DOMRectReadOnly;
}

declare global {
  interface Window {
    seen: Seen;
  }
}

export class MarketPage {
  readonly page: Page;
  readonly profile: BrowserContext;
  readonly line: Line;
  /** Errors of its scripts, and what the browser complained of. */
  readonly complaints: string[] = [];

  private constructor(page: Page, profile: BrowserContext, line: Line) {
    this.page = page;
    this.profile = profile;
    this.line = line;
    page.on('pageerror', ({ message }) => this.complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /** Opens the page over a line of its own, and waits until it shows a price. */
  static async open(url: string, options: BrowserContextOptions = {}): Promise<MarketPage> {
    const line = await Line.to(url);
    onTestFinished(() => line.close());
    const profile = await openProfile({ viewport: VIEWPORT, ...options });
    const market = new MarketPage(await profile.newPage(), profile, line);
    await letHide(market.page);
    await market.page.addInitScript(watch);
    const { pathname, hash } = new URL(url);
    await market.page.goto(`${line.url}${pathname}${hash}`);
    await market.live();
    return market;
  }

  /** Waits until it is connected and shows a price. */
  async live(): Promise<void> {
    await this.connection('Connected');
    await expect.poll(() => this.text('price')).toMatch(/\d/);
  }

  async connection(name: string): Promise<void> {
    await this.panel('connection').getByText(name, { exact: true }).waitFor();
  }

  panel(name: string): Locator {
    return this.page.locator(`[data-panel="${name}"]`);
  }

  async text(value: string): Promise<string> {
    return (await this.page.locator(`[data-value="${value}"]`).textContent()) ?? '';
  }

  async count(value: string): Promise<number> {
    return Number((await this.text(value)).replaceAll(/\D/g, ''));
  }

  /** Waits until the price is another one, as often as it is told. */
  async moves(times = 1): Promise<void> {
    for (let move = 0; move < times; move++) {
      const before = await this.text('tape-note');
      await expect.poll(() => this.text('tape-note')).not.toBe(before);
    }
  }

  /** The cells of a panel's tables, row by row, without the rows that are empty. */
  async rows(panel: string, within = 'tbody'): Promise<string[][]> {
    const rows = await this.panel(panel)
      .locator(`${within} tr`)
      .evaluateAll((rows) =>
        rows.map((row) => Array.from(row.children, ({ textContent }) => textContent ?? '')),
      );
    return rows.filter((cells) => cells.some((text) => /\w/.test(text)));
  }

  /** Rooms with their cursor, what was conflated, and their gaps. */
  async rooms(): Promise<Map<string, readonly number[]>> {
    const rows = await this.rows('delivery', '.rooms tbody');
    return new Map(
      rows.map(([room = '', ...cells]) => [
        room,
        cells.map((text) => Number(text.replaceAll(/\D/g, ''))),
      ]),
    );
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async seen(): Promise<Seen> {
    return this.page.evaluate(() => window.seen);
  }
}

/** Runs in the page, before its own script. */
function watch(): void {
  window.seen = { shifts: [], violations: [] };
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    window.seen.violations.push(`${violatedDirective} ${blockedURI}`);
  });
  /** A text that becomes longer moves its ends apart, which is not to move. */
  const goTogether = (from: number, to: number) => Math.sign(from) === Math.sign(to) && from !== 0;
  const hasMoved = (before: DOMRectReadOnly, now: DOMRectReadOnly) =>
    now.height > 0 &&
    (goTogether(now.left - before.left, now.right - before.right) ||
      goTogether(now.top - before.top, now.bottom - before.bottom));
  const nameOf = (node: Node | null) => {
    const element = node instanceof Element ? node : node?.parentElement;
    return `${element?.tagName} "${element?.textContent}" of ${element?.closest('[data-panel]')?.className}`;
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The type is not among those of the DOM library yet.
      const { sources = [], hadRecentInput } = Object(entry);
      if (hadRecentInput) continue;
      for (const { node, previousRect, currentRect } of sources as Shift[]) {
        if (!hasMoved(previousRect, currentRect)) continue;
        const rects = [previousRect, currentRect].map(({ x, y }) => `${x},${y}`).join(' to ');
        window.seen.shifts.push(`${nameOf(node)}: ${rects}`);
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
}
