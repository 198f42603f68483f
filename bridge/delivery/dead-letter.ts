/**
 * Puts records that can never be delivered into `{topic}.dlq`: key, value and headers as they were,
 * with the reason and the origin in headers of our own. A record counts as delivered only once it
 * is there, so any failure except one of size is waited out like an outage of the Worker. A record that
 * the topic refuses for its size is cut short, and its headers say so.
 */

import { errorTypes, reasonOf } from '../kafka/kafka-error.ts';
import {
  type Append,
  type AppendedMessage,
  type HeaderValue,
  type KafkaRecord,
  type Partition,
  partitionKey,
  type Refusal,
} from '../kafka/record.ts';
import { deadLetterTopic } from '../kafka/topics.ts';
import { backoffMs, KAFKA_BACKOFF, type Pause, pause } from '../shared/backoff.ts';
import { messageOf } from '../shared/network-fault.ts';
import type { Stop } from './stop.ts';

/** The size of one produce request, in bytes. A single record may be larger. */
const MAX_APPEND_BYTES = 1024 * 1024;
/** How much is kept of a value that is refused for its size, in bytes: enough to see what it was. */
const CUT_VALUE_BYTES = 64 * 1024;
/** How much is kept when even that is refused, in bytes. */
const BARE_VALUE_BYTES = 256;
const SIZE_ERRORS = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

export interface DeadLetterObserver {
  deadLettered(origin: Partition, refusals: readonly Refusal[]): void;
  /** `reason` is undefined when the topic takes records again, or the wait is given up. */
  waiting(partition: string, reason: string | undefined, message?: string): void;
}

export interface DeadLetterOptions {
  readonly append: Append;
  /** Kafka's cluster id and our consumer group, which say whose verdict it was. */
  readonly source: string;
  readonly group: string;
  readonly observer: DeadLetterObserver;
  readonly random?: () => number;
  readonly pause?: Pause;
}

export class DeadLetters {
  readonly #options: DeadLetterOptions;
  readonly #random: () => number;
  readonly #pause: Pause;

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#pause = options.pause ?? pause;
  }

  /** Whether they are in the topic. False only when `stop` came first. */
  async bury(origin: Partition, refusals: readonly Refusal[], stop: Stop): Promise<boolean> {
    for (const part of chunk(refusals)) {
      if (!(await this.#bury(origin, part, stop))) return false;
    }
    return true;
  }

  async #bury(origin: Partition, refusals: readonly Refusal[], stop: Stop): Promise<boolean> {
    const { append, observer } = this.#options;
    const partition = partitionKey(origin);
    let failures = 0;
    let form: Form = 'whole';
    try {
      while (!stop.retrying.aborted) {
        try {
          const letters = refusals.map((refusal) => this.#letter(origin, refusal, form));
          await append(deadLetterTopic(origin.topic), letters);
          observer.deadLettered(origin, refusals);
          return true;
        } catch (error) {
          const types = errorTypes(error);
          const smaller: Form | undefined = SMALLER[form];
          if (smaller !== undefined && types.some((type) => SIZE_ERRORS.includes(type))) {
            // Each is tried by itself, because only those that are too large alone are cut short.
            if (refusals.length > 1) return await this.#buryEach(origin, refusals, stop);
            form = smaller;
            continue;
          }
          observer.waiting(partition, `dead_letter: ${reasonOf(error)}`, messageOf(error));
        }
        await this.#pause(backoffMs(failures++, KAFKA_BACKOFF, this.#random), stop.retrying);
      }
      return false;
    } finally {
      if (failures > 0) observer.waiting(partition, undefined);
    }
  }

  async #buryEach(origin: Partition, refusals: readonly Refusal[], stop: Stop): Promise<boolean> {
    for (const refusal of refusals) {
      if (!(await this.#bury(origin, [refusal], stop))) return false;
    }
    return true;
  }

  #letter({ topic, partition }: Partition, refusal: Refusal, form: Form): AppendedMessage {
    const { record, code, message } = refusal;
    const headers: Record<string, HeaderValue> = {
      ...(form === 'bare' ? {} : record.headers),
      'dlq.code': code,
      'dlq.message': message,
      'dlq.source': this.#options.source,
      'dlq.group': this.#options.group,
      'dlq.topic': topic,
      'dlq.partition': String(partition),
      'dlq.offset': record.offset,
      'dlq.timestamp': record.timestamp,
    };
    if (form === 'whole') return { key: record.key, value: record.value, headers };
    headers['dlq.truncated-from'] = String(record.value?.length ?? 0);
    return {
      key: form === 'bare' ? null : record.key,
      value:
        record.value?.subarray(0, form === 'bare' ? BARE_VALUE_BYTES : CUT_VALUE_BYTES) ?? null,
      headers,
    };
  }
}

/** How much of a record is kept; `bare` drops its own key and headers too. */
type Form = 'whole' | 'cut' | 'bare';
const SMALLER: Readonly<Record<Form, Form | undefined>> = {
  whole: 'cut',
  cut: 'bare',
  bare: undefined,
};

function chunk(refusals: readonly Refusal[]): Refusal[][] {
  const chunks: Refusal[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const refusal of refusals) {
    const size = sizeOf(refusal.record);
    if (bytes + size > MAX_APPEND_BYTES) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(refusal);
    bytes += size;
  }
  return chunks;
}

function sizeOf({ key, value }: KafkaRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}
