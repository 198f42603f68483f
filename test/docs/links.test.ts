/** Every page that is linked from a page of the repository is there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const PAGES = globSync(['*.md', 'worker/**/*.md', 'bridge/**/*.md', 'test/**/*.md']);
const LINK = /\]\(([^)\s]+)\)/g;

/** The anchor that a heading gets, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .toLowerCase()
    .replaceAll(' ', '-');
}

function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(Array.from(headings, ([, heading = '']) => anchorOf(heading)));
}

test.each(PAGES)('%s links only to what is there', (page) => {
  const missing: string[] = [];
  for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(LINK)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    const isThere = existsSync(target) && (!anchor || anchorsOf(target).has(anchor));
    if (!isThere) missing.push(link);
  }
  expect(missing).toEqual([]);
});
