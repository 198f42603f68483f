import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findJava } from '../../bridge/local/kafka/java.ts';
import { kafkaLibraries } from '../../bridge/local/kafka/kafka-libraries.ts';
import { SetupError } from '../../bridge/local/setup-error.ts';
import { temporaryFolder } from '../support/folder.ts';

/** A PATH on which `name` is a shell script of ours, and nothing else but the system's own. */
async function pathWith(name: string, script: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
  return `${folder}:/usr/bin:/bin`;
}

async function failure(attempt: Promise<unknown>): Promise<Error> {
  return attempt.then(
    () => new Error('it did not fail'),
    (error) => error,
  );
}

test('without Java, one sentence says what to install or to use instead', async () => {
  const error = await failure(findJava({ PATH: '/nowhere' }));
  expect(error).toBeInstanceOf(SetupError);
  expect(error.message).toMatch(/^Kafka needs Java 17 or newer, .*install.*KAFKA_BROKERS.*Docker/);
  expect(error.message).not.toContain('\n');
});

test.each([
  ['1.8.0_402', 8],
  ['11.0.2', 11],
])('Java %s is too old, and is called Java %i', async (version, major) => {
  const PATH = await pathWith('java', `echo 'openjdk version "${version}"' >&2`);
  const error = await failure(findJava({ PATH }));
  expect(error.message).toMatch(
    new RegExp(`^Kafka needs Java 17 or newer, and java is Java ${major}:`),
  );
});

test.each(['17', '17.0.15', '25-ea'])('Java %s is new enough', async (version) => {
  const PATH = await pathWith('java', `echo 'openjdk version "${version}"' >&2`);
  expect(await findJava({ PATH })).toBe('java');
});

test('without Maven, and the jars not there yet, one sentence says so', async () => {
  const XDG_CACHE_HOME = await temporaryFolder();
  const error = await failure(kafkaLibraries({ env: { PATH: '/nowhere', XDG_CACHE_HOME } }));
  expect(error).toBeInstanceOf(SetupError);
  expect(error.message).toMatch(/^Kafka's jars come by Maven, .*install.*KAFKA_BROKERS/);
});

test('two at once fetch the jars once, and both get all of them', async () => {
  const XDG_CACHE_HOME = await temporaryFolder();
  const runs = await temporaryFolder();
  const PATH = await pathWith(
    'mvn',
    `touch ${runs}/$$; for last; do :; done; out=\${last#-DoutputDirectory=}
     touch $out/a.jar; sleep 0.5; touch $out/b.jar`,
  );
  const env = { PATH, XDG_CACHE_HOME };
  const [one, two] = await Promise.all([
    kafkaLibraries({ env }).then((folder) => readdir(folder)),
    kafkaLibraries({ env }).then((folder) => readdir(folder)),
  ]);
  expect(one).toEqual(['a.jar', 'b.jar']);
  expect(two).toEqual(one);
  expect(await readdir(runs)).toHaveLength(1);
});

test('a fetch that fails says what Maven said, leaves nothing behind, and is done anew', async () => {
  const XDG_CACHE_HOME = await temporaryFolder();
  const env = { PATH: await pathWith('mvn', "echo '[ERROR] no route'; exit 1"), XDG_CACHE_HOME };
  const error = await failure(kafkaLibraries({ env }));
  expect(error.message).toContain("Maven could not fetch Kafka's jars (no route)");
  const [cache = ''] = await readdir(XDG_CACHE_HOME);
  expect(await readdir(join(XDG_CACHE_HOME, cache))).toEqual(['lock']);

  const working = { ...env, PATH: await pathWith('mvn', 'exit 0') };
  expect(await readdir(await kafkaLibraries({ env: working }))).toEqual([]);
});
