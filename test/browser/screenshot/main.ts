/**
 * Takes the pictures of the README: starts the local stack with its sample market, opens the live page
 * in both themes, cuts its network for a moment so that there is something to see, and writes the
 * pictures beside the page.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startGateway } from '../../path/gateway.ts';
import { launch } from '../support/launch.ts';

const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const VIEWPORT = { width: 1600, height: 900 };
/** The chart has a candle for every five seconds. */
const MARKET_MS = 300_000;
const CUT_MS = 3_000;
/** Figures are of the last ten seconds. */
const LOOK_MS = 15_000;

const gateway = await startGateway({ FEED: 'on' });
const browser = await launch();
try {
  console.log(`The market lives for ${MARKET_MS / 1_000} s before the pictures are taken.`);
  await sleep(MARKET_MS);
  for (const theme of THEMES) await takePicture(browser, theme);
} finally {
  await browser.close();
  await gateway.stop();
}

async function takePicture(browser: Browser, colorScheme: Theme): Promise<void> {
  const page = await browser.newPage({ viewport: VIEWPORT, colorScheme });
  await page.goto(gateway.url.replace('ws', 'http'));
  await page.getByText('Connected', { exact: true }).waitFor();
  const cut = page.getByRole('button', { name: 'Cut the network' });
  await cut.click();
  await sleep(CUT_MS);
  await cut.click();
  await sleep(LOOK_MS);
  const url = new URL(`../../../worker/page/screenshot-${colorScheme}.png`, import.meta.url);
  const path = fileURLToPath(url);
  await page.screenshot({ path });
  console.log(path);
  await page.close();
}
