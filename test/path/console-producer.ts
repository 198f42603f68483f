/** Kafka's own console producer: what we read of Kafka is not only what we ourselves have written. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { kafkaLibraries } from '../../bridge/local/kafka/kafka-libraries.ts';
import type { Line } from './recording.ts';

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Writes the lines of each topic, keyed, in their order. */
export async function produceWithJava(
  brokers: readonly string[],
  lines: readonly Line[],
  codec: Codec,
): Promise<void> {
  const classPath = join(await kafkaLibraries(), '*');
  for (const [topic, own] of Map.groupBy(lines, ({ topic }) => topic)) {
    const args = [
      ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classPath],
      ['org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', brokers.join()],
      ['--topic', topic, '--compression-codec', codec],
      ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=\t'],
    ].flat();
    await new Promise<void>((resolve, reject) => {
      const child = execFile('java', args, (error, _, stderr) => {
        if (error === null) resolve();
        else reject(new Error(stderr, { cause: error }));
      });
      child.stdin?.end(own.map(({ key, value }) => `${key}\t${value}\n`).join(''));
    });
  }
}
