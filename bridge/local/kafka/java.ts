/** The Java that runs Kafka: that of JAVA_HOME, or the one on the PATH. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from '../setup-error.ts';

/** What a Kafka 4 broker is compiled for. */
const LEAST_JAVA = 17;

const INSTEAD =
  'or name a cluster you have in KAFKA_BROKERS (Docker runs one: docker run -p 9092:9092 apache/kafka:4.3.1)';

const execute = promisify(execFile);

/**
 * The command that starts a Java which Kafka runs on.
 * @throws {SetupError} when there is no Java, or it is too old.
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const version = await readVersion(java, env);
  if (version === undefined) {
    throw new SetupError(
      `Kafka needs Java ${LEAST_JAVA} or newer, and there is none here: install one (Debian: apt install default-jre-headless, macOS: brew install openjdk), ${INSTEAD}.`,
    );
  }
  if (version < LEAST_JAVA) {
    throw new SetupError(
      `Kafka needs Java ${LEAST_JAVA} or newer, and ${java} is Java ${version}: install a newer one or point JAVA_HOME at it, ${INSTEAD}.`,
    );
  }
  return java;
}

/** @throws {SetupError} */
export function mavenMissing(cause: unknown): SetupError {
  return new SetupError(
    `Kafka's jars come by Maven, and there is no mvn here: install it (Debian: apt install maven, macOS: brew install maven), ${INSTEAD}.`,
    { cause },
  );
}

async function readVersion(java: string, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  try {
    const { stderr, stdout } = await execute(java, ['-version'], { env });
    // `version "17.0.15"`; up to Java 8 it was `version "1.8.0_402"`.
    const match = /version "(?:1\.)?(\d+)/.exec(stderr + stdout);
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined; // not there, or a stub that only says where Java could be had
  }
}
