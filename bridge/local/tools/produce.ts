/** `npm run produce -- FILE|-`: writes a recording of events into Kafka. */
import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { TOPICS } from '../../../worker/protocol/topics.ts';
import { patchKafkajs } from '../../kafka/kafkajs/patch.ts';
import { readBrokers } from '../../shared/kafka-config.ts';
import { escapeBrokers, socketFactory } from '../../shared/kafka-sockets.ts';
import { readTopicPrefix } from '../../shared/topic-prefix.ts';
import { DEFAULT_KAFKA_PORT } from '../config.ts';
import { readRecording } from './recording.ts';
import { produceRecording } from './recording-producer.ts';

const USAGE = `usage: npm run produce -- FILE|- [--speed N|max] [--brokers HOST:PORT,…]

FILE holds JSON lines {"topic", "event", "at"?}, or an array of them; - is the standard input.
--speed N    times faster than the records' "at" (ms) says: 1, as recorded, unless given; max waits
             for nothing
--brokers    KAFKA_BROKERS unless given, else localhost:KAFKA_PORT, else localhost:${DEFAULT_KAFKA_PORT}

TOPIC_PREFIX is written before each topic's name.`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { speed: { type: 'string' }, brokers: { type: 'string' }, help: { type: 'boolean' } },
  });
  const [file] = positionals;
  const speed = speedOf(values.speed);
  if (values.help || file === undefined || positionals.length > 1 || speed === undefined) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  patchKafkajs();
  const named = values.brokers || process.env.KAFKA_BROKERS || defaultBroker();
  const brokers = escapeBrokers(readBrokers({ KAFKA_BROKERS: named }));
  const topicPrefix = readTopicPrefix(process.env);
  // The file is opened first, so that a missing file is told at once.
  const input = file === '-' ? process.stdin : (await open(file)).createReadStream();
  const kafka = new Kafka({
    clientId: 'produce',
    brokers,
    socketFactory,
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    const onBad = (where: string, reason: string) => console.error(`${where}: ${reason}`);
    const onUnknownTopic = (topic: string) =>
      console.error(
        `The gateway knows no topic ${topic}, so no room gets what is written there. Its topics are ${[...TOPICS.keys()].join(', ')}.`,
      );
    const { produced, bad } = await produceRecording(readRecording(input), {
      producer,
      topicPrefix,
      speed,
      onBad,
      onUnknownTopic,
    });
    console.error(`${produced} produced${bad === 0 ? '' : `, ${bad} bad`}`);
    return bad === 0 ? 0 : 1;
  } finally {
    await producer.disconnect();
  }
}

function defaultBroker(): string {
  return `localhost:${process.env.KAFKA_PORT || DEFAULT_KAFKA_PORT}`;
}

function speedOf(text = '1'): number | undefined {
  if (text === 'max' || text === '0') return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  return speed > 0 && Number.isFinite(speed) ? speed : undefined;
}
