/** `npm run produce -- FILE|-`: writes a recording of events into Kafka. */
import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { port } from '../../../worker/protocol/environment/variables.ts';
import { TOPICS } from '../../../worker/protocol/events/topics.ts';
import { troubleOf } from '../../kafka/kafka-error.ts';
import { patchKafkajs } from '../../kafka/kafkajs/patch.ts';
import { remedyOf } from '../../remedies.ts';
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

/** Who has written something else sees at once what it should have been. */
const EXAMPLE = `A line is such as
{"topic":"price.updates","event":{"type":"price_update","symbol":"BTC-USDC","data":{"price":45000.50},"timestamp":1703123456789}}`;
/** Someone who waits at a terminal for a Kafka that is down learns of it within a second or two. */
const RETRIES = 2;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(explained(error));
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const [file] = positionals;
  const speed = speedOf(values.speed);
  if (values.help || file === undefined || positionals.length > 1 || speed === undefined) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  patchKafkajs();
  const named = values.brokers || process.env.KAFKA_BROKERS || localBroker();
  const brokers = readBrokers({ KAFKA_BROKERS: named });
  const topicPrefix = readTopicPrefix(process.env);
  // The file is opened first, so that a missing file is reported at once.
  const input = file === '-' ? process.stdin : (await open(file)).createReadStream();
  const producer = await connect(brokers);
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
    if (bad > 0) console.error(EXAMPLE);
    return bad === 0 ? 0 : 1;
  } finally {
    await producer.disconnect();
  }
}

async function connect(brokers: readonly string[]): Promise<Producer> {
  const kafka = new Kafka({
    clientId: 'produce',
    brokers: escapeBrokers(brokers),
    socketFactory,
    logLevel: logLevel.NOTHING,
    retry: { retries: RETRIES },
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  try {
    await producer.connect();
    return producer;
  } catch (error) {
    throw kafkaFailure(error, brokers);
  }
}

/** What is wrong and what to do about it. */
function explained(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isOfFile = error instanceof Error && 'syscall' in error;
  return isOfFile ? `The recording cannot be read: ${message}.` : message;
}

/** As `explained`, for what Kafka has said. */
function kafkaFailure(error: unknown, brokers: readonly string[]): Error {
  const { reason, message } = troubleOf(error, brokers);
  const remedy = remedyOf(reason) ?? '';
  return new Error(
    `Kafka at ${brokers.join()} took no events: ${message ?? reason}. ${remedy} \`npm start\` runs a Kafka here.`,
    { cause: error },
  );
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        speed: { type: 'string' },
        brokers: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

function localBroker(): string {
  return `localhost:${port(process.env, 'KAFKA_PORT', DEFAULT_KAFKA_PORT)}`;
}

function speedOf(text = '1'): number | undefined {
  if (text === 'max' || text === '0') return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  return speed > 0 && Number.isFinite(speed) ? speed : undefined;
}
