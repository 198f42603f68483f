/** The page under test in a Chromium, told what to show and asked what it has shown. */
import type { Page as BrowserPage } from 'playwright-core';
import { letHide } from '../support/background.ts';
import { openProfile } from '../support/chromium.ts';
import type { Gateway } from '../support/gateway.ts';
import { type ServedPage, servePage } from '../support/page-server.ts';
import type { Notes, Shown } from './page.tsx';

export class Tab {
  readonly browser: BrowserPage;
  readonly served: ServedPage;
  readonly complaints: string[] = [];

  private constructor(browser: BrowserPage, served: ServedPage) {
    this.browser = browser;
    this.served = served;
    browser.on('pageerror', ({ message }) => this.complaints.push(message));
    browser.on('console', (message) => {
      if (message.type() !== 'info') this.complaints.push(message.text());
    });
  }

  static async open(gateway: Gateway, transport = 'relay'): Promise<Tab> {
    const served = await servePage(new URL('page.tsx', import.meta.url));
    const profile = await openProfile();
    const tab = new Tab(await profile.newPage(), served);
    await letHide(tab.browser);
    const query = new URLSearchParams({ gateway: gateway.url, transport });
    await tab.browser.goto(`${served.url}/?${query}`);
    return tab;
  }

  async show(rooms: Readonly<Record<string, Shown>>, latestOf?: string): Promise<void> {
    await this.browser.evaluate(([rooms, latestOf]) => window.page.show(rooms, latestOf), [
      rooms,
      latestOf,
    ] as const);
  }

  /** Shows the rooms, and waits until each is open. */
  async open(rooms: Readonly<Record<string, Shown>>): Promise<void> {
    await this.show(rooms);
    for (const name of Object.keys(rooms)) await this.becomes(name, 'open');
  }

  async becomes(name: string, state: string): Promise<void> {
    await this.browser.locator(`[data-name="${name}"]`, { hasText: state }).waitFor();
  }

  /** Waits until a component has committed the price, as its latest. */
  async priced(name: string, price: number): Promise<void> {
    await this.browser.waitForFunction(
      ([name, price]) => {
        const latest = window.page.notes[name]?.commits.at(-1)?.state.latest;
        return Object(latest).data?.price === price;
      },
      [name, price] as const,
      // The default waits for frames, which a hidden page does not have.
      { polling: 50 },
    );
  }

  async notes(name: string): Promise<Notes> {
    const notes = await this.browser.evaluate((name) => window.page.notes[name], name);
    return notes ?? { commits: [], heard: [], gaps: [] };
  }

  /** What was sent: `subscribe price:BTC-USDC`. */
  async sent(): Promise<string[]> {
    const texts = await this.browser.evaluate(() => window.page.sent);
    return texts
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text))
      .filter(({ type }) => type !== 'ack')
      .map(({ type, room, rooms = [] }) =>
        [type, room, ...rooms.map((each: string | Shown) => Object(each).room ?? each)]
          .join(' ')
          .replace('  ', ' '),
      );
  }

  async sockets(): Promise<number> {
    return this.browser.evaluate(() => window.page.sockets.length);
  }
}
