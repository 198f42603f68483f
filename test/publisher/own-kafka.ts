/** A broker of a test file's own, with the topics of the table, and what they hold. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Consumer } from 'kafkajs';
import {
  type KafkaOptions,
  type RunningKafka,
  startKafka,
} from '../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { TOPICS } from '../../worker/protocol/events/topics.ts';
import { kafka as connectTo, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';

export interface StoredRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly timestamp: number;
  readonly text: string;
}

export class OwnKafka {
  readonly brokers: string[];
  readonly #options: KafkaOptions;
  #running: RunningKafka;

  private constructor(options: KafkaOptions, running: RunningKafka) {
    this.#options = options;
    this.#running = running;
    this.brokers = [...running.brokers];
  }

  static async start(partitions = 3): Promise<OwnKafka> {
    const stateDir = await mkdtemp(join(tmpdir(), 'gateway-publisher-'));
    const options = { port: await freePort(), stateDir };
    const own = new OwnKafka(options, await startKafka(options));
    await own.createTopics([...TOPICS.keys()], partitions);
    return own;
  }

  /** With the producer's timestamps: the local broker's default is its own. */
  async createTopics(names: readonly string[], partitions: number): Promise<void> {
    const admin = connectTo(this.brokers).admin();
    await admin.connect();
    const configEntries = [{ name: 'message.timestamp.type', value: 'CreateTime' }];
    await admin.createTopics({
      topics: names.map((topic) => ({ topic, numPartitions: partitions, configEntries })),
      waitForLeaders: true,
    });
    await admin.disconnect();
  }

  async kill(): Promise<void> {
    this.#running.kill('SIGKILL');
    await this.#running.exited;
  }

  async restart(): Promise<void> {
    this.#running = await startKafka(this.#options);
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.kill(signal);
  }

  async stop(): Promise<void> {
    await this.#running.stop();
    await rm(this.#options.stateDir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Everything that a topic holds now, each partition's records in their order. */
  async stored(topic: string): Promise<StoredRecord[]> {
    const client = connectTo(this.brokers);
    const admin = client.admin();
    await admin.connect();
    // After a hang or a start it takes a moment to lead its partitions again.
    const ends = await until('the ends', () => admin.fetchTopicOffsets(topic));
    await admin.disconnect();
    const records: StoredRecord[] = [];
    const reached = new Map<number, number>();
    const consumer: Consumer = client.consumer({
      groupId: uniqueName('stored'),
      maxWaitTimeInMs: 50,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        reached.set(partition, Number(message.offset) + 1);
        records.push({
          topic,
          partition,
          key: String(message.key),
          timestamp: Number(message.timestamp),
          text: String(message.value),
        });
      },
    });
    const isWhole = () =>
      ends.every(({ partition, high }) => (reached.get(partition) ?? 0) >= Number(high));
    await until(`all of ${topic}`, isWhole);
    await consumer.disconnect();
    return records;
  }
}
