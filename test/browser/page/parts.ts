/** The live page on the local stack: its parts show the market, and its switches make something happen. */
import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { listen } from '../../support/worker.ts';
import { setHidden } from '../support/background.ts';
import { MarketPage } from './market-page.ts';

const numberIn = (text = '') => Number(text.replaceAll(/[^\d.-]/g, ''));

/** What was missed, once it is known what has become of all of it. */
async function resumed(market: MarketPage): Promise<number> {
  const [missed = 0, ...became] = await Promise.all(
    ['missed', 'again', 'replaced', 'lost'].map((value) => market.count(value)),
  );
  return missed > 0 && missed === became.reduce((sum, each) => sum + each) ? missed : 0;
}

/** Waits until the market has gone on for a while, whatever a page hears of it. */
async function goesOn(url: string): Promise<void> {
  const frames = listen(url, 'trade:BTC-USDC');
  await until('the market goes on', () => frames.length > 5);
}

export function testParts(url: () => string): void {
  test('each part shows what is live', async () => {
    const market = await MarketPage.open(url());
    await expect.poll(() => market.rows('pairs')).toHaveLength(12);
    for (const [pair, price] of await market.rows('pairs')) {
      expect(pair).toMatch(/^\w+-\w+$/);
      expect(numberIn(price)).toBeGreaterThan(0);
    }
    await expect.poll(() => market.text('spread')).toMatch(/\d/);
    await market.moves(3);
    expect(await market.page.title()).toContain('BTC-USDC');
    const [best] = await market.rows('book', '[data-side="bids"] tbody');
    const asks = await market.rows('book', '[data-side="asks"] tbody');
    expect(numberIn(best?.[0])).toBeGreaterThan(0);
    expect(asks.length).toBeGreaterThan(3);
    expect((await market.rows('tape')).length).toBeGreaterThan(2);
    expect(await market.panel('chart').locator('canvas').count()).toBeGreaterThan(0);
    await expect.poll(() => market.text('worth')).toMatch(/\d/);
    await expect.poll(async () => (await market.rows('portfolio')).length).toBeGreaterThan(0);
    await expect.poll(() => market.count('events')).toBeGreaterThan(0);
    const rooms = await market.rooms();
    const names = ['price', 'orderbook', 'trade'].map((kind) => `${kind}:BTC-USDC`);
    expect([...rooms.keys()]).toEqual([...names, 'price_updates', 'user:user-123', 'system']);
    expect(market.complaints).toEqual([]);
  });

  test('another pair is chosen by the keyboard alone, and by the address', async () => {
    const market = await MarketPage.open(url());
    await expect.poll(() => market.rows('pairs')).toHaveLength(12);
    await market.button('SOL-USDC').focus();
    await market.page.keyboard.press('Enter');
    await expect.poll(() => market.text('symbol')).toBe('SOL-USDC');
    await market.moves();
    const rooms = async () => [...(await market.rooms()).keys()];
    await expect.poll(rooms).toContain('trade:SOL-USDC');
    await expect.poll(rooms).not.toContain('trade:BTC-USDC');
    expect(await market.button('SOL-USDC').getAttribute('aria-pressed')).toBe('true');
    await market.page.reload();
    await market.live();
    expect(await market.text('symbol')).toBe('SOL-USDC');
  });

  test('the switch cuts the network, and what was missed is accounted for when it is back', async () => {
    const market = await MarketPage.open(url());
    await market.moves(2);
    await market.button('Cut the network').click();
    await market.connection('Network cut');
    await goesOn(url());
    await market.button('Cut the network').click();
    await market.connection('Connected');
    await expect.poll(() => resumed(market)).toBeGreaterThan(0);
    expect(await market.count('again')).toBeGreaterThan(0);
    expect(await market.count('lost')).toBe(0);
    await market.moves();
  });

  test('a line that is cut and mended loses nothing', async () => {
    const market = await MarketPage.open(url());
    await market.moves(2);
    await market.line.cut(market.profile);
    await market.connection('Offline');
    await goesOn(url());
    await market.line.mend(market.profile);
    await market.connection('Connected');
    await expect.poll(() => resumed(market)).toBeGreaterThan(0);
    const gaps = [...(await market.rooms()).values()].map(([, , gaps]) => gaps);
    expect(gaps).toEqual(gaps.map(() => 0));
    await market.moves();
  });

  test('a slowed client is sent fewer prices and every trade', async () => {
    const market = await MarketPage.open(url());
    await market.button('Slow this client').click();
    const conflated = async (room: string) => (await market.rooms()).get(room)?.[1];
    await expect.poll(() => conflated('price_updates'), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await conflated('trade:BTC-USDC')).toBe(0);
    await market.button('Slow this client').click();
    await market.moves();
    expect(await market.button('Slow this client').getAttribute('aria-pressed')).toBe('false');
  });

  test('an alert to everyone is in the banner of every page', async () => {
    const [market, other] = await Promise.all([MarketPage.open(url()), MarketPage.open(url())]);
    // The market has alerts of its own, which may take its place soon after.
    const shown = [market, other].map((each) =>
      each.panel('alerts').getByText('Sent from a live page').waitFor(),
    );
    await market.button('Alert everyone').click();
    await Promise.all(shown);
    await expect.poll(() => market.text('story')).toContain('The alert is here');
  });

  test('a tab in the background goes on from where it is', async () => {
    const market = await MarketPage.open(url());
    await market.moves(2);
    await setHidden(market.page, true);
    const before = await market.text('tape-note');
    // The network has forgotten the connection meanwhile, as those of phones do.
    market.line.drop();
    await goesOn(url());
    expect(await market.text('tape-note')).toBe(before);
    await setHidden(market.page, false);
    await market.live();
    // What came meanwhile of prices and books was not drawn, and the page says so.
    await expect.poll(() => market.text('left-out')).toContain('not drawn');
    await market.moves(2);
    const gaps = [...(await market.rooms()).values()].map(([, , gaps]) => gaps);
    expect(gaps).toEqual(gaps.map(() => 0));
  });

  test('a page that is left and returned to is live again', async () => {
    const market = await MarketPage.open(url());
    await market.page.goto('about:blank');
    await market.page.goBack();
    await market.live();
    // A headless Chromium has no back/forward cache: these are the events of a page that was in it.
    await market.page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })),
    );
    await market.page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
    );
    await market.live();
    await market.moves(2);
    expect(market.complaints).toEqual([]);
  });
}
