/**
 * Kafka's jars, fetched once by Maven into a folder of the user's cache that is named by what
 * pom.xml asks for. The folder appears all at once, so a folder that is there is complete.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { acquireLock } from '../processes/file-lock.ts';
import { spawnOwned } from '../processes/owned-process.ts';
import { SetupError } from '../setup-error.ts';
import { mavenMissing } from './java.ts';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
/** How often we look whether another process has finished fetching. */
const WAIT_MS = 250;
/** A line of progress each so many jars. */
const JARS_PER_LINE = 10;
const KILL_MAVEN_AFTER_MS = 1000;

export interface LibrariesOptions {
  readonly onProgress?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * The folder with the jars; fetches them first if need be.
 * @throws {SetupError} when there is no Maven, or it fails.
 */
export async function kafkaLibraries({
  onProgress = () => {},
  signal,
  env = process.env,
}: LibrariesOptions = {}): Promise<string> {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'moonx-websocket-gateway');
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, `kafka-${hash}`);
  await mkdir(cache, { recursive: true });
  while (!existsSync(folder)) {
    // Maven's own repository does not bear two writers either.
    const lock = acquireLock(join(cache, 'lock'));
    if (lock === undefined) {
      await sleep(WAIT_MS, undefined, { ...(signal && { signal }) });
      continue;
    }
    try {
      if (!existsSync(folder)) await fetchInto(folder, onProgress, signal, env);
    } finally {
      lock.release();
    }
  }
  return folder;
}

async function fetchInto(
  folder: string,
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  onProgress('fetching Apache Kafka with Maven (once, about 50 jars)');
  // Ours alone under the lock; what a killed process has left there goes first.
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    await runMaven(partial, onProgress, signal, env);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function runMaven(
  output: string,
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const goal = [
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${output}`,
  ];
  const maven = await spawnOwned('mvn', ['--batch-mode', '--file', POM, ...goal], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  }).catch((error: unknown) => {
    throw mavenMissing(error);
  });
  const abort = () => void maven.stop(KILL_MAVEN_AFTER_MS);
  signal?.addEventListener('abort', abort);
  let jars = 0;
  let problem: string | undefined;
  if (maven.child.stdout !== null) {
    for await (const line of createInterface({ input: maven.child.stdout })) {
      if (/ Downloaded from .*\.jar /.test(line) && ++jars % JARS_PER_LINE === 0) {
        onProgress(`fetched ${jars} jars`);
      }
      if (problem === undefined && line.startsWith('[ERROR] '))
        problem = line.slice('[ERROR] '.length);
    }
  }
  const ending = await maven.exited;
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
  if (ending !== 'exit code 0') {
    throw new SetupError(
      `Maven could not fetch Kafka's jars (${problem ?? ending}): see to it that it reaches its repository, or name a cluster you have in KAFKA_BROKERS.`,
    );
  }
}
