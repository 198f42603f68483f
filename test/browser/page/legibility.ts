/** Whether everything on the live page can be read: in each width and theme, with the longest texts that the sample market has. */
import { expect, test } from 'vitest';
import { post } from '../../support/worker.ts';
import { illegible, typeSizes } from './legible.ts';
import { MarketPage } from './market-page.ts';

/** Those of a phone, of both sides of where the layout changes, and of the README's pictures. */
const WIDTHS = [360, 719, 720, 900, 1399, 1400, 1600];
const THEMES = ['light', 'dark'] as const;
/** Its prices have the most digits, its amounts too. */
const LONGEST_PAIR = 'PEPE-USDC';
const USER = 'user-123';

const alert = { type: 'system_alert', data: { level: 'info', title: 'Farming Rewards Doubled' } };
const news = 'Liquidity in AVAX-USDC earns twice the rewards for the next hour';
const told = 'PEPE-USDC has reached your target price of $0.000012660';
const position = {
  symbol: 'PEPE-USDC',
  amount: '225530000',
  value: '123456.78',
  pnlPercent: 14.49,
};
const personal = {
  type: 'trade_notification',
  symbol: LONGEST_PAIR,
  userId: USER,
  data: { tradeId: 'long', price: '0.000012660', amount: '120903000', side: 'sell' },
};

/** Publishes the longest texts, past the sample market. */
async function publishLongest(url: string): Promise<void> {
  const timestamp = Date.now();
  const events = {
    'system.alerts': [
      { ...alert, data: { ...alert.data, message: news, expiresAt: timestamp + 60_000 } },
      { ...alert, userId: USER, data: { ...alert.data, message: told } },
    ],
    'trade.notifications': [personal],
    'portfolio.updates': [
      {
        type: 'portfolio_update',
        userId: USER,
        data: {
          totalValue: '123456.78',
          totalValueChange: '-12345.67',
          totalValueChangePercent: -10.01,
          cash: '123456.78',
          positions: Array.from({ length: 8 }, () => position),
        },
      },
    ],
  };
  const records = Object.entries(events).flatMap(([topic, values]) =>
    values.map((value, index) => ({
      topic,
      offset: timestamp + index,
      value: JSON.stringify({ ...value, timestamp }),
    })),
  );
  const answer = await post(url, records);
  expect(await answer.json()).toMatchObject({ accepted: records.length });
}

export function testLegibility(url: () => string): void {
  test('nothing is cut, and nothing lies upon anything else, in any width and theme', async () => {
    const market = await MarketPage.open(`${url()}/#${LONGEST_PAIR}`);
    await expect.poll(() => market.rows('pairs')).toHaveLength(12);
    await market.moves(3);
    await publishLongest(url());
    for (const text of [news, told]) await market.page.getByText(text).waitFor();
    // What is shown now stays, and the line of the connection is a long one.
    await market.button('Cut the network').click();
    await market.connection('Network cut');
    const complaints: string[] = [];
    for (const width of WIDTHS) {
      await market.page.setViewportSize({ width, height: 900 });
      for (const colorScheme of THEMES) {
        await market.page.emulateMedia({ colorScheme });
        for (const complaint of await illegible(market.page)) {
          complaints.push(`${width} px, ${colorScheme}: ${complaint}`);
        }
      }
    }
    expect(complaints).toEqual([]);
  });

  test('a panel has two sizes of type at most', async () => {
    const market = await MarketPage.open(url());
    for (const [panel, sizes] of await typeSizes(market.page)) {
      expect({ panel, isCalm: sizes.length <= 2, sizes }).toMatchObject({ isCalm: true });
    }
  });
}
