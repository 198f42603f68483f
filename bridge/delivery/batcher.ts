/**
 * Composes the bodies of batches from a partition's records. A value is copied as the bytes it came
 * in, after a check that it is one JSON text. Without that check a value such as `1},{"topic":…` would
 * smuggle records with forged positions into the batch. Nothing is written anew, so digits and escapes
 * reach the client as they were produced.
 */
import { isUtf8 } from 'node:buffer';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../../worker/protocol/batch/batch.ts';
import type { Fault, KafkaRecord, Partition, Refusal } from '../kafka/record.ts';
import { withoutPrefix } from '../shared/topic-prefix.ts';

/** The schema's bound on a key. A longer key, or one that is not text, is left out. */
const MAX_KEY_BYTES = 1024;
/** Space for the head of one record: names, three integers and a key whose every byte is escaped. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Unix ms has 13 digits until the year 2286, and every integer of 15 is a safe one. */
const TIME_DIGITS = 13;
const MAX_TIME_DIGITS = 15;
const NO_TIME = '0';
const TAIL = ']}';
const COMMA = Buffer.from(',');

export interface Body {
  readonly bytes: Buffer<ArrayBuffer>;
  /** Where its records begin, in bytes. */
  readonly start: number;
  readonly records: readonly KafkaRecord[];
}

/** What one pass over a queue found: the next body, and the records that cannot be in any. */
export interface Cut {
  /** Absent when no record is to be sent. */
  readonly body: Body | undefined;
  readonly refused: readonly Refusal[];
  /** How many records have no value. They say that a key is gone, and no room has keys. */
  readonly tombstones: number;
  /** How many records of the queue are in `body` or `refused`, or are tombstones. */
  readonly taken: number;
}

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** The Worker's own bounds. */
export const BATCH_LIMITS: BatchLimits = {
  maxRecords: MAX_BATCH_RECORDS,
  maxBytes: MAX_BATCH_BYTES,
};

export class Batcher {
  readonly #source: string;
  readonly #now: () => number;
  readonly #topicPrefix: string;
  readonly limits: BatchLimits;
  /** Composing is synchronous, so all partitions share it. A body is copied out at its exact size. */
  readonly #scratch: Buffer;

  /**
   * @param source names the Kafka cluster; records carry their position in it.
   * @param topicPrefix is taken off the topics' names, because the Worker knows the plain ones.
   * @param now Unix ms.
   */
  constructor(
    source: string,
    limits: BatchLimits = BATCH_LIMITS,
    topicPrefix = '',
    now: () => number = Date.now,
  ) {
    this.#source = JSON.stringify(source);
    this.#now = now;
    this.#topicPrefix = topicPrefix;
    this.limits = limits;
    this.#scratch = Buffer.allocUnsafeSlow(limits.maxBytes + MAX_HEAD_BYTES);
  }

  /** Takes records from `queue[from]` on, until a body is full or the queue ends. */
  cut(partition: Partition, queue: readonly KafkaRecord[], from = 0): Cut {
    const { maxRecords } = this.limits;
    const records: KafkaRecord[] = [];
    const refused: Refusal[] = [];
    const end = Math.min(queue.length, from + maxRecords);
    const start = this.#begin();
    let size = start;
    let tombstones = 0;
    let index = from;
    for (; index < end; index++) {
      const record = queue[index] as KafkaRecord;
      if (record.value === null) {
        tombstones++;
        continue;
      }
      const refusal = record.unreadable ?? inspect(record.value);
      if (refusal !== undefined) {
        refused.push({ record, ...refusal });
        continue;
      }
      const grown = this.#append(partition, record, size, records.length === 0);
      if (grown !== undefined) {
        records.push(record);
        size = grown;
      } else if (records.length === 0) {
        refused.push({ record, ...TOO_LARGE });
      } else {
        break;
      }
    }
    const body = records.length === 0 ? undefined : { bytes: this.#end(size), start, records };
    return { body, refused, tombstones, taken: index - from };
  }

  /** A body of some records that `cut` has put into one body before, so that a part is sent alone. */
  compose(partition: Partition, records: readonly KafkaRecord[]): Body {
    const start = this.#begin();
    let size = start;
    for (const [index, record] of records.entries()) {
      const grown = this.#append(partition, record, size, index === 0);
      if (grown === undefined) throw new RangeError('a part is larger than the whole');
      size = grown;
    }
    return { bytes: this.#end(size), start, records };
  }

  /** One body of several that this batcher has composed, in their order. */
  join(bodies: readonly Body[]): Body {
    const start = this.#begin();
    const pieces = bodies.flatMap((body, index) => {
      const records = body.bytes.subarray(body.start, body.bytes.length - TAIL.length);
      return index === 0 ? [records] : [COMMA, records];
    });
    return {
      bytes: Buffer.concat([this.#scratch.subarray(0, start), ...pieces, Buffer.from(TAIL)]),
      start,
      records: bodies.flatMap(({ records }) => records),
    };
  }

  #begin(): number {
    const head = `{"source":${this.#source},"sentAt":${this.#now()},"records":[`;
    return this.#scratch.write(head, 0, 'utf8');
  }

  #end(size: number): Buffer<ArrayBuffer> {
    const end = size + this.#scratch.write(TAIL, size, 'latin1');
    return Buffer.from(this.#scratch.subarray(0, end));
  }

  /** The size after `record`, or undefined when the body would be too large with it. */
  #append(
    { topic, partition }: Partition,
    { key, value, timestamp, offset }: KafkaRecord,
    size: number,
    first: boolean,
  ): number | undefined {
    const { maxBytes } = this.limits;
    if (value === null || size + value.length > maxBytes) return undefined;
    // A topic's name is letters, digits, `.`, `_` and `-`; both numbers are decimal from kafkajs.
    const name = withoutPrefix(topic, this.#topicPrefix);
    const head =
      `${first ? '' : ','}{"topic":"${name}","partition":${partition},"offset":${offset}` +
      `,"timestamp":${timeOf(timestamp)}${keyMember(key)},"value":`;
    const valueAt = size + this.#scratch.write(head, size, 'utf8');
    const end = valueAt + value.length;
    if (end + 1 + TAIL.length > maxBytes) return undefined;
    this.#scratch.set(value, valueAt);
    this.#scratch[end] = 0x7d; // }
    return end + 1;
  }
}

const TOO_LARGE = { code: 'too_large', message: 'the record does not fit into a batch' };

function inspect(value: Buffer): Fault | undefined {
  if (!isUtf8(value)) return { code: 'not_utf8', message: 'the value is not valid UTF-8' };
  try {
    // As Latin-1 it is not decoded. Within valid UTF-8 every byte above 0x7f means the same to the
    // grammar: allowed inside a string, refused outside of one.
    JSON.parse(value.toString('latin1'));
    return undefined;
  } catch {
    return { code: 'not_json', message: 'the value is not one JSON text' };
  }
}

/**
 * A producer may stamp anything, and the Worker takes no time that is no safe integer. The first 13 digits
 * of a time in µs or ns are the same time in ms, by which a room tells that a topic was made anew.
 */
function timeOf(timestamp: string): string {
  if (timestamp.startsWith('-')) return NO_TIME;
  return timestamp.length <= MAX_TIME_DIGITS ? timestamp : timestamp.slice(0, TIME_DIGITS);
}

function keyMember(key: Buffer | null): string {
  if (key === null || key.length > MAX_KEY_BYTES || !isUtf8(key)) return '';
  return `,"key":${JSON.stringify(key.toString('utf8'))}`;
}
