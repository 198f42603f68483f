/** How the live page looks and reads: for a screen reader, for the keyboard, in each size and theme. */
import axe, { type AxeResults } from 'axe-core';
import { expect, test } from 'vitest';
import { type Drawn, nextMove } from './chart-ink.ts';
import { MarketPage } from './market-page.ts';

const WIDTHS = [360, 900, 1600];
/** Colours are those of the theme in any width. */
const THEMES = [
  ['light', WIDTHS],
  ['dark', WIDTHS.slice(-1)],
] as const;

/** As many each way as are seen of the price. */
const MOVES = 4;
/** Fewer than a label has in its colour, more than the line has beside it. */
const LABEL_POINTS = 200;

/** Some that a stranger asked for, each with what it says. */
const TERMS = [
  ['Spread', 'what it costs to buy and sell at once'],
  ['Volume 24 h', 'USDC'],
  ['levels', 'A price at which something is offered'],
  ['Size', 'first in the pair’s name'],
  ['Sum', 'offered up to this price'],
  ['Cursor', 'number of the last event'],
] as const;

/** Runs the rules of axe in the page, past its content policy. */
async function violations({ page }: MarketPage): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>('axe.run()');
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}

export function testAppearance(url: () => string): void {
  test.each(THEMES)(
    'breaks no rule of accessibility in the %s theme, at %j px',
    async (colorScheme, widths) => {
      const market = await MarketPage.open(url(), { colorScheme });
      await market.moves(2);
      for (const width of widths) {
        await market.page.setViewportSize({ width, height: 900 });
        expect(await violations(market)).toEqual([]);
      }
    },
  );

  test.each(WIDTHS)(
    '%i px wide, nothing is wider than the screen, and nothing moves',
    async (width) => {
      const market = await MarketPage.open(url(), { viewport: { width, height: 900 } });
      await market.moves(10);
      const wider = await market.page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(wider).toBe(0);
      const { shifts, violations } = await market.seen();
      expect(shifts).toEqual([]);
      expect(violations).toEqual([]);
      expect(market.complaints).toEqual([]);
    },
  );

  test.each(['light', 'dark'] as const)(
    'in the %s theme, the label of the chart has the colour of the price, and covers nothing',
    async (colorScheme) => {
      const { page } = await MarketPage.open(url(), { colorScheme });
      const seen: Drawn[] = [];
      const count = (wanted: string) => seen.filter(({ direction }) => direction === wanted).length;
      while (Math.min(count('up'), count('down')) < MOVES) seen.push(await nextMove(page));
      for (const { direction, label, axis } of seen) {
        const other = direction === 'up' ? 'down' : 'up';
        expect(label[direction]).toBeGreaterThan(LABEL_POINTS);
        expect(label[other]).toBe(0);
        expect(axis).toEqual({ up: 0, down: 0 });
      }
    },
  );

  test('the theme that was chosen stays', async () => {
    const market = await MarketPage.open(url(), { colorScheme: 'light' });
    const background = () =>
      market.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await market.button('Dark theme').click();
    await expect.poll(background).not.toBe(light);
    const dark = await background();
    await market.page.reload();
    await market.live();
    expect(await background()).toBe(dark);
  });

  test('the keyboard reaches everything in the order in which it is read, and sees where it is', async () => {
    const market = await MarketPage.open(url());
    await expect.poll(() => market.rows('pairs')).toHaveLength(12);
    const reached: string[] = [];
    for (;;) {
      await market.page.keyboard.press('Tab');
      const focus = await market.page.evaluate(() => {
        const { activeElement } = document;
        if (!(activeElement instanceof HTMLElement) || activeElement === document.body) return;
        const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
        const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
        return { name: activeElement.textContent?.trim() ?? '', isSeen };
      });
      if (focus === undefined || reached.length > 100) break;
      expect(focus).toEqual({ name: focus.name, isSeen: true });
      reached.push(focus.name);
    }
    const at = (name: string) => reached.indexOf(name);
    expect(at('Skip to the price')).toBe(0);
    const expected = [
      'BTC-USDC',
      'Cut the network',
      'Slow this client',
      'Alert everyone',
      'Cursor',
    ];
    const places = expected.map(at);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test('what a term means is shown where it has the focus, and goes with Escape', async () => {
    const market = await MarketPage.open(url());
    const tooltip = market.page.locator('#tooltip');
    for (const [name, meaning] of TERMS) {
      const term = market.button(name).first();
      await term.focus();
      await expect.poll(() => tooltip.isVisible()).toBe(true);
      const text = await tooltip.textContent();
      expect(text).toContain(meaning);
      const described = await term.getAttribute('aria-describedby');
      expect(await market.page.locator(`#${described}`).textContent()).toBe(text);
    }
    await market.page.keyboard.press('Escape');
    await expect.poll(() => tooltip.isVisible()).toBe(false);
  });

  test('each term has a meaning, and each meaning a term', async () => {
    const { page } = await MarketPage.open(url());
    const [terms, meanings] = await page.evaluate(() => [
      Array.from(
        document.querySelectorAll<HTMLElement>('[data-term]'),
        ({ dataset }) => `term-${dataset.term}`,
      ),
      Array.from(document.querySelectorAll('[id^="term-"]'), ({ id }) => id),
    ]);
    expect(new Set(terms)).toEqual(new Set(meanings));
  });

  test('what a term means stays beside it when the page is scrolled to it', async () => {
    const market = await MarketPage.open(url(), { viewport: { width: 360, height: 500 } });
    const tooltip = market.page.locator('#tooltip');
    await market.button('Cursor').focus();
    const scrolled = () => market.page.evaluate(() => scrollY);
    await expect.poll(scrolled).toBeGreaterThan(500);
    await market.moves();
    const [term, shown] = await Promise.all(
      [market.button('Cursor'), tooltip].map((each) => each.boundingBox()),
    );
    expect(shown?.y).toBeGreaterThan(0);
    expect(Math.abs((term?.y ?? 0) - (shown?.y ?? 0))).toBeLessThan(200);
  });
}
