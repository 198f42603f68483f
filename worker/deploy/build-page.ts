/**
 * Builds the live page into one module, `worker/page/built/files.js`, which the Worker serves from. The
 * local stack and the tests call it; `wrangler deploy` runs it as a program (`[build]` in wrangler.toml).
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const FOLDER = join(import.meta.dirname, '../page');
const BUILT = join(FOLDER, 'built');
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

/** Replaces the module at once, so that whoever reads it meanwhile has the one or the other. */
export async function buildPage(): Promise<void> {
  const parts = await bundle();
  let document = await readFile(join(FOLDER, 'index.html'), 'utf8');
  for (const { name, hashed } of parts) document = document.replace(`"${name}"`, `"${hashed}"`);
  const files = Object.fromEntries(
    [...parts.map(({ hashed, text }) => [hashed, text] as const), ['/', document] as const].map(
      ([path, body]) => [path, { type: typeOf(path), tag: `"${hashOf(body)}"`, body }],
    ),
  );
  const text = `export const files = ${JSON.stringify(files)};\n`;
  await mkdir(BUILT, { recursive: true });
  const target = join(BUILT, 'files.js');
  if (text === (await readFile(target, 'utf8').catch(() => undefined))) return;
  const draft = join(BUILT, `files.${process.pid}.tmp`);
  await writeFile(draft, text);
  await rename(draft, target);
}

interface Part {
  /** The name by which the document refers to it. */
  readonly name: string;
  /** Where it is served; another text has another address. */
  readonly hashed: string;
  readonly text: string;
}

async function bundle(): Promise<Part[]> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, 'main.ts'), join(FOLDER, 'styles/main.css')],
    entryNames: '[name]',
    outdir: '/page',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    minify: true,
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles.map(({ path, text }) => {
    const name = path.slice(path.lastIndexOf('/page/'));
    const [stem, extension] = name.split('.');
    return { name, hashed: `${stem}-${hashOf(text)}.${extension}`, text };
  });
}

function typeOf(path: string): string {
  const extension = path === '/' ? 'html' : path.slice(path.lastIndexOf('.') + 1);
  return TYPES[extension] ?? 'application/octet-stream';
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

if (import.meta.main) await buildPage();
