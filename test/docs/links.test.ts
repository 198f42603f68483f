/** What a page of the repository links to is there, and so is each file that it names. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const PAGES = globSync(['*.md', 'worker/**/*.md', 'bridge/**/*.md', 'test/**/*.md']);
/** A link, or a picture. */
const LINK = /\]\(([^)\s]+)\)|\b(?:src|srcset)="([^"]+)"/g;
/** A file or a folder in code quotes, by its path or by the end of its path. */
const NAMED = /`((?:[\w.-]+\/)*(?:[\w-][\w.-]*\.(?:ts|md|json|toml)|[\w-]+\/))`/g;
const FILES = globSync('**/*', {
  exclude: (name) => name.includes('node_modules') || name.includes('dist'),
}).map((file) => `/${file}`);

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
  for (const [, text, picture = ''] of readFileSync(page, 'utf8').matchAll(LINK)) {
    const link = text ?? picture;
    if (/^[a-z]+:/.test(link)) continue;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    const isThere = existsSync(target) && (!anchor || anchorsOf(target).has(anchor));
    if (!isThere) missing.push(link);
  }
  expect(missing).toEqual([]);
});

test.each(PAGES)('%s names only files and folders that are there', (page) => {
  const named = readFileSync(page, 'utf8').matchAll(NAMED);
  const missing = Array.from(named, ([, name = '']) => name).filter(
    (name) => !FILES.some((file) => `${file}/`.includes(`/${name}`)),
  );
  expect(missing).toEqual([]);
});
