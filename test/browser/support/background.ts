/**
 * A tab in the background. A headless Chromium shows every page and paints it, whatever it is told
 * (`Browser.setWindowBounds`, `Page.setWebLifecycleState` and another page in front change nothing), so a
 * script does to the page what a browser does: it says that it is hidden, and paints no frame.
 */
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    setHidden(isHidden: boolean): void;
  }
}

/** Has to be called before the page is opened. */
export async function letHide(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const request = window.requestAnimationFrame.bind(window);
    let isHidden = false;
    const held: FrameRequestCallback[] = [];
    window.requestAnimationFrame = (callback) =>
      request((time) => (isHidden ? held.push(callback) : callback(time)));
    Object.defineProperty(document, 'visibilityState', {
      get: () => (isHidden ? 'hidden' : 'visible'),
    });
    window.setHidden = (value) => {
      isHidden = value;
      document.dispatchEvent(new Event('visibilitychange'));
      for (const callback of held.splice(0)) window.requestAnimationFrame(callback);
    };
  });
}

export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => window.setHidden(isHidden), isHidden);
}
