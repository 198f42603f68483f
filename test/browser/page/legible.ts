/** What of a page cannot be read: texts that are cut, and texts that lie upon each other. */
import type { Page } from 'playwright-core';

/** Fonts round their widths. */
const TOLERANCE_PX = 1.5;

export async function illegible(page: Page): Promise<string[]> {
  return page.evaluate((tolerance) => {
    const texts: { readonly text: string; readonly element: Element; readonly rect: DOMRect }[] =
      [];
    const complaints: string[] = [];
    const nameOf = (element: Element, text: string) =>
      `"${text}" of ${element.closest('[data-panel]')?.getAttribute('data-panel') ?? 'the page'}`;
    const contains = (outer: DOMRect, inner: DOMRect) =>
      inner.left >= outer.left - tolerance &&
      inner.right <= outer.right + tolerance &&
      inner.top >= outer.top - tolerance &&
      inner.bottom <= outer.bottom + tolerance;
    const meets = (one: DOMRect, other: DOMRect) =>
      Math.min(one.right, other.right) - Math.max(one.left, other.left) > tolerance &&
      Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > tolerance;
    const clippers = (element: Element) => {
      const found: DOMRect[] = [];
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(at);
        if (overflowX !== 'visible' || overflowY !== 'visible')
          found.push(at.getBoundingClientRect());
      }
      return found;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? '';
      if (element === null || text === '' || element.closest('.unseen, .skip')) continue;
      if (!element.checkVisibility({ visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const rects = Array.from(range.getClientRects()).filter(({ width }) => width > 0);
      const clips = clippers(element);
      // What is whole outside is a row for which there is no room.
      const shown = rects.filter((rect) => clips.every((clip) => meets(clip, rect)));
      if (shown.length === 0) continue;
      if (!rects.every((rect) => clips.every((clip) => contains(clip, rect)))) {
        complaints.push(`cut: ${nameOf(element, text)}`);
      }
      if (!/[\s-]/.test(text) && new Set(rects.map(({ top }) => top)).size > 1) {
        complaints.push(`broken: ${nameOf(element, text)}`);
      }
      for (const rect of shown) texts.push({ text, element, rect });
    }
    for (const [index, one] of texts.entries()) {
      for (const other of texts.slice(index + 1)) {
        if (one.element === other.element || !meets(one.rect, other.rect)) continue;
        complaints.push(`"${one.text}" lies upon ${nameOf(other.element, other.text)}`);
      }
    }
    return complaints;
  }, TOLERANCE_PX);
}

/** The sizes of type of each panel. */
export async function typeSizes(page: Page): Promise<Map<string, readonly number[]>> {
  const sizes = await page.evaluate(() =>
    Array.from(document.querySelectorAll<HTMLElement>('[data-panel]'), (panel) => {
      const elements = Array.from(panel.querySelectorAll('*'));
      const withText = elements.filter(({ childNodes }) =>
        Array.from(childNodes).some((node) => node instanceof Text && node.data.trim() !== ''),
      );
      const found = withText.map((element) =>
        Number.parseFloat(getComputedStyle(element).fontSize),
      );
      return [panel.dataset.panel ?? '', [...new Set(found)]] as const;
    }),
  );
  return new Map(sizes);
}
