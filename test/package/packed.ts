/** The package as its users get it, and what it is tried with. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export const ROOT = pathOf('../..');
export const NAME = '@moonx-farm/websocket-gateway';
/** What has commands of the same names as the project's own, and is therefore installed apart. */
const TOOLCHAINS = join(ROOT, 'node_modules/.cache/toolchains');
export const toolchain = (path: string) => join(TOOLCHAINS, 'node_modules', path);
/** The lowest Node that `engines` allows. */
export const LOWEST_NODE = toolchain('node/bin/node');

/** A backend as most are: CommonJS, strict but for the guide's `catch (error) { error.message }`. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    strict: true,
    useUnknownInCatchVariables: false,
    types: ['node'],
    outDir: 'out',
    rootDir: 'src',
  },
  include: ['src'],
};

/** Installs the toolchains, unless they are there. */
export async function installToolchains(): Promise<void> {
  const cwd = TOOLCHAINS;
  await cp(pathOf('toolchains'), cwd, { recursive: true });
  await run('npm', ['ls'], { cwd }).catch(() => run('npm', ['ci', '--prefer-offline'], { cwd }));
}

/** Packs the package and installs it in an empty project within `folder`, beside the guide. */
export async function installPacked(folder: string): Promise<string> {
  const flags = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', flags, { cwd: ROOT });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{"private": true}');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await cp(pathOf('guide'), join(project, 'src'), { recursive: true });
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const types = ['@types/node', '@types/react'].map((name) => `${name}@${devDependencies[name]}`);
  const tarball = join(folder, packed.filename);
  await run('npm', ['install', tarball, ...types, '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: project,
  });
  await addUses(project);
  return project;
}

/** The uses of `set-ups/`, each as either kind of module and as the one that a project's type makes it. */
async function addUses(project: string): Promise<void> {
  const readme = await readFile(join(ROOT, 'worker/client/README.md'), 'utf8');
  const [, printed = ''] = /```tsx\n(.*?)```/s.exec(readme) ?? [];
  await mkdir(join(project, 'uses/src'), { recursive: true });
  await writeFile(join(project, 'uses/src/readme.tsx'), printed);
  for (const use of ['publisher', 'client', 'react']) {
    for (const extension of ['ts', 'mts', 'cts']) {
      await cp(pathOf(`set-ups/${use}.ts`), join(project, 'uses/src', `${use}.${extension}`));
    }
  }
}
