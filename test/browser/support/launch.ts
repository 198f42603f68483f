/** A real Chromium, brought by npm alone. */
import executable from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/** A container's root user has no sandbox. The other flags of the package would loosen what is tested. */
const FLAGS = ['--no-sandbox'];

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: await executable.executablePath(), args: FLAGS });
}
