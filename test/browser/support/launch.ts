/**
 * A real Chromium, brought by npm alone, with the libraries and the fonts that a bare system lacks. The
 * package holds it compressed. It is unpacked once for each version, beside what else is cached, into a
 * folder that gets its name when it is whole: two files of tests may begin at once, and one that is ended
 * midway leaves nothing that looks complete.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const PACKAGE = dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))));
const { version } = createRequire(import.meta.url)(join(PACKAGE, 'package.json'));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/chromium', import.meta.url));
/** The package unpacks into the system's folder of temporary files, as the environment names it. */
const UNPACK = `import('@sparticuz/chromium').then((it) =>
  Promise.all([it.default.executablePath(), it.inflate('bin/al2023.tar.br')]))`;
const SYSTEM_FONTS = '/etc/fonts/fonts.conf';
/** A container's root user has no sandbox. The other flags of the package would loosen what is tested. */
const FLAGS = ['--no-sandbox'];

export async function launch(): Promise<Browser> {
  const folder = join(CACHE, version);
  if (!existsSync(folder)) await unpack(folder);
  const executablePath = join(folder, 'chromium');
  return chromium.launch({ executablePath, args: FLAGS, env: environment(folder) });
}

function environment(folder: string): Record<string, string | undefined> {
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, 'al2023/lib') };
  return existsSync(SYSTEM_FONTS) ? env : { ...env, FONTCONFIG_FILE: join(folder, 'fonts.conf') };
}

async function unpack(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const whole = await mkdtemp(`${folder}-`);
  const env = { ...process.env, TMPDIR: whole };
  await run(process.execPath, ['-e', UNPACK], { cwd: PACKAGE, env });
  const fonts = `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}</cachedir></fontconfig>`;
  await writeFile(join(whole, 'fonts.conf'), `<?xml version="1.0"?>${fonts}`);
  await rename(whole, folder).catch((error: unknown) => {
    // Another process was faster.
    if (!existsSync(folder)) throw error;
    return rm(whole, { recursive: true });
  });
}
