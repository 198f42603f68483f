/** One Chromium for each file of tests; what a test opens goes with the test. */
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { launch } from './launch.ts';

let browser: Promise<Browser> | undefined;

afterAll(async () => (await browser)?.close());

/** A profile of its own, which knows nothing of other tests. */
export async function openProfile(options?: BrowserContextOptions): Promise<BrowserContext> {
  browser ??= launch();
  const context = await (await browser).newContext(options);
  onTestFinished(() => context.close());
  return context;
}
