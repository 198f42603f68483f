/** Serves one script as a page, bundled as an application would be. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

const htmlOf = (root: string) =>
  `<!doctype html><html lang="en"><title>test</title><link rel="icon" href="data:">
  <div id="root">${root}</div><script type="module" src="/page.js"></script>`;

export interface ServedPage {
  readonly url: string;
  /** Answers a path no sooner than `until` is resolved. */
  hold(path: string, until: Promise<void>): void;
}

/** Serves a page that runs the script, until the test has finished; `root` is what a server has rendered. */
export async function servePage(script: URL, root = ''): Promise<ServedPage> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(script)],
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    jsxDev: true,
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const text = outputFiles[0]?.text ?? '';
  const held = new Map<string, Promise<void>>();
  const server = createServer(async ({ url = '' }, response) => {
    await held.get(url);
    const isScript = url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? text : htmlOf(root));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (path, until) => held.set(path, until),
  };
}
