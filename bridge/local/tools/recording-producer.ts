/**
 * Writes a recording into Kafka, each key's records in their order, as fast as the recording's own times say.
 * What is due goes together; one request is under way at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';
import { TOPICS } from '../../../worker/protocol/events/topics.ts';
import { errorTypes } from '../../kafka/kafka-error.ts';
import type { RecordedEvent, RecordingItem } from './recording.ts';

/** One request to Kafka, well below a broker's usual limit of 1 MiB a partition. */
const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_BYTES = 256 * 1024;

export interface ProduceResult {
  readonly produced: number;
  readonly bad: number;
}

export interface ProduceOptions {
  readonly producer: Pick<Producer, 'sendBatch'>;
  /** What stands in Kafka before the topics of a recording. */
  readonly topicPrefix?: string;
  /** How many times faster than the recording's `at` says; Infinity waits for nothing. */
  readonly speed: number;
  readonly onBad: (where: string, reason: string) => void;
  /** Is called once for each topic that the gateway does not know. It is written to all the same. */
  readonly onUnknownTopic: (topic: string) => void;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

interface Pending {
  readonly where: string;
  readonly record: RecordedEvent;
}

/** Produces all of `recording` and counts. */
export async function produceRecording(
  recording: AsyncIterable<RecordingItem>,
  options: ProduceOptions,
): Promise<ProduceResult> {
  const { producer, topicPrefix = '', speed, now = Date.now, wait = sleep } = options;
  const unknown = new Set<string>();
  let pending: Pending[] = [];
  let pendingBytes = 0;
  let produced = 0;
  let bad = 0;
  let start: { readonly at: number; readonly time: number } | undefined;

  const reject = (where: string, reason: string) => {
    bad++;
    options.onBad(where, reason);
  };
  const flush = async () => {
    const batch = pending;
    pending = [];
    pendingBytes = 0;
    produced += await send(producer, topicPrefix, batch, reject);
  };

  for await (const item of recording) {
    if (item.kind === 'bad') {
      reject(item.where, item.reason);
      continue;
    }
    const { topic, at, value } = item.record;
    if (!TOPICS.has(topic) && !unknown.has(topic)) {
      unknown.add(topic);
      options.onUnknownTopic(topic);
    }
    if (at !== undefined && Number.isFinite(speed)) {
      start ??= { at, time: now() };
      const due = start.time + (at - start.at) / speed;
      if (due > now()) {
        await flush();
        await wait(due - now());
      }
    }
    const bytes = Buffer.byteLength(value);
    if (pending.length === MAX_BATCH_RECORDS || pendingBytes + bytes > MAX_BATCH_BYTES)
      await flush();
    pending.push(item);
    pendingBytes += bytes;
  }
  await flush();
  return { produced, bad };
}

/** Sends `batch`, and returns how many records Kafka took; one that is too large does not stop the rest. */
async function send(
  producer: Pick<Producer, 'sendBatch'>,
  topicPrefix: string,
  batch: readonly Pending[],
  reject: (where: string, reason: string) => void,
): Promise<number> {
  const [first] = batch;
  if (first === undefined) return 0;
  try {
    await producer.sendBatch({ topicMessages: byTopic(batch, topicPrefix) });
    return batch.length;
  } catch (error) {
    // Only a record that is larger than a batch may be can be too large, and it goes alone.
    if (batch.length > 1 || !errorTypes(error).includes('MESSAGE_TOO_LARGE')) throw error;
    reject(first.where, 'larger than Kafka takes');
    return 0;
  }
}

function byTopic(
  batch: readonly Pending[],
  topicPrefix: string,
): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { record } of batch) {
    const messages = topics.get(record.topic) ?? [];
    messages.push({ key: record.key, value: record.value });
    topics.set(record.topic, messages);
  }
  return [...topics].map(([name, messages]) => ({ topic: topicPrefix + name, messages }));
}
