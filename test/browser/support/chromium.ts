/** A real Chromium, brought by npm alone: one for each file of tests, and what a test opens goes with it. */
import executable from '@sparticuz/chromium';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
} from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';

/** A container's root user has no sandbox. The other flags of the package would loosen what is tested. */
const FLAGS = ['--no-sandbox'];

let browser: Promise<Browser> | undefined;

afterAll(async () => (await browser)?.close());

/** A profile of its own, which knows nothing of other tests. */
export async function openProfile(options?: BrowserContextOptions): Promise<BrowserContext> {
  browser ??= launch();
  const context = await (await browser).newContext(options);
  onTestFinished(() => context.close());
  return context;
}

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: await executable.executablePath(), args: FLAGS });
}
