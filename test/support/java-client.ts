/** Kafka's own Java client as an actor: KafkaClient.java, run from its source, obeys commands. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { kafkaLibraries } from '../../bridge/local/kafka/kafka-libraries.ts';

const SOURCE = fileURLToPath(new URL('java/KafkaClient.java', import.meta.url));
const JVM = ['-Xmx1g', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

export interface JavaClient {
  /** Runs one command of KafkaClient.java. Resolves with its answer. */
  run(...words: (string | number)[]): Promise<string>;
  stop(): void;
}

export async function startJavaClient(): Promise<JavaClient> {
  const classPath = join(await kafkaLibraries(), '*');
  const args = [...JVM, '-cp', classPath, SOURCE, inject('kafkaBrokers').join()];
  const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(...words) {
      child.stdin.write(`${words.join('\t')}\n`);
      const { value, done } = await answers.next();
      if (done || value.startsWith('error')) throw new Error(`${words.join(' ')}: ${value}`);
      return value;
    },
    stop: () => child.kill('SIGKILL'),
  };
}
