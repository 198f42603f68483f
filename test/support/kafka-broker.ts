/** One Kafka for the whole run; a test takes topics and groups of its own, see kafka.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../bridge/local/processes/port.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `127.0.0.1:port` of the broker. */
    kafkaBrokers: string[];
    kafkaClusterId: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-test-kafka-'));
  const kafka = await startKafka({
    port: await freePort(),
    stateDir,
    onProgress: (line) => console.log(`kafka   ${line}`),
    // The cleaner rests for 15 s between two rounds otherwise, and a test of compaction waits for it.
    settings: { 'log.cleaner.backoff.ms': '500' },
  });
  project.provide('kafkaBrokers', [...kafka.brokers]);
  project.provide('kafkaClusterId', kafka.clusterId);
  return async () => {
    await kafka.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}
