/**
 * Five repairs of kafkajs 2.2.4, which has had no release since 2023. Each is of a private method,
 * so another version stops the start instead of being patched blindly.
 *
 * 1. When the list of brokers changed during a stop, a stopped runner fetched "nothing" at once, and
 *    its loop span in microtasks for ever: no timer or signal ran again. Now it throws.
 *    The same method drops what was fetched for an assignment that a rebalance has replaced.
 * 2. An offset that Kafka no longer has was reset without a word to its user. Now it is told.
 * 3. A topic that was gone when it was fetched was only tried again. When it was made anew, it was read
 *    on from the old position, past its first records. Now the consumer ends, and another is made.
 * 4. An empty queue of requests was polled every millisecond: see timers.ts.
 * 5. A record batch of more than some 125,000 records overflowed the stack, again at every fetch:
 *    its records were spread into one call's arguments. Now they are pushed one by one.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { quietenKafkajs } from './timers.ts';

const VERSION = '2.2.4';

/** Kafka did not have `expected`, the next offset to be read, so reading began anew. */
export interface OffsetReset {
  readonly memberId: string;
  readonly topic: string;
  readonly partition: number;
  readonly expected: string;
}

/** kafkajs has no event for it and no way to add one, so all consumers share this emitter. */
export const offsetResets = new EventEmitter<{ reset: [OffsetReset] }>();

interface Runner {
  running: boolean;
  consumerGroup: { offsetManager: unknown };
}

interface ConsumerGroup {
  memberId: string;
  offsetManager: { nextOffset(topic: string, partition: number): { toString(): string } };
}

let applied = false;

/** @throws when another version of kafkajs is installed than the one that is repaired. */
export function patchKafkajs(): void {
  if (applied) return;
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json');
  if (version !== VERSION) {
    throw new Error(`kafkajs ${version} is installed, but patch.ts repairs ${VERSION}`);
  }
  patchFetch(require('kafkajs/src/consumer/runner').prototype);
  const consumerGroup = require('kafkajs/src/consumer/consumerGroup').prototype;
  patchReset(consumerGroup);
  patchRecovery(consumerGroup);
  quietenKafkajs();
  patchDecoding(require);
  applied = true;
}

function patchFetch(prototype: { fetch(this: Runner, nodeId: number): Promise<unknown[]> }): void {
  const original = prototype.fetch;
  prototype.fetch = async function (nodeId) {
    if (!this.running) throw new Error('the consumer has stopped');
    const assignment = this.consumerGroup.offsetManager;
    const batches = await original.call(this, nodeId);
    return assignment === this.consumerGroup.offsetManager ? batches : [];
  };
}

function patchReset(prototype: {
  recoverFromOffsetOutOfRange(
    this: ConsumerGroup,
    error: { topic: string; partition: number },
  ): Promise<void>;
}): void {
  const original = prototype.recoverFromOffsetOutOfRange;
  prototype.recoverFromOffsetOutOfRange = async function (error) {
    const { topic, partition } = error;
    const { memberId } = this;
    const expected = this.offsetManager.nextOffset(topic, partition).toString();
    await original.call(this, error);
    offsetResets.emit('reset', { memberId, topic, partition, expected });
  };
}

function patchRecovery(prototype: {
  recoverFromFetch(error: Error & { type?: string }): Promise<void>;
}): void {
  const original = prototype.recoverFromFetch;
  prototype.recoverFromFetch = async function (error) {
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
      throw Object.assign(new Error('a topic is gone'), { type: error.type, retriable: false });
    }
    await original.call(this, error);
  };
}

/** A position in bytes that came from a broker. */
interface Decoder {
  readonly buffer: Buffer;
  readonly offset: number;
  readInt32(): number;
  readBytes(size: number): Buffer;
  canReadBytes(size: number): boolean;
}

type DecodeMessages = (decoder: Decoder) => Promise<unknown[]>;

/** The least size of a record batch: https://kafka.apache.org/documentation/#recordbatch */
const RECORD_BATCH_OVERHEAD = 49;
/** Where a batch says its format, from its start, and what the present one says. */
const MAGIC_OFFSET = 16;
const MAGIC = 2;
const SIZE_BYTES = 4;

/** kafkajs loads its decoders at the first fetch, and they take this module as it is by then. */
function patchDecoding(require: NodeJS.Require): void {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const original: DecodeMessages = require(path);
  const Reader: new (bytes: Buffer) => Decoder = require('kafkajs/src/protocol/decoder');
  const decodeBatch: (
    decoder: Decoder,
  ) => Promise<{ records: unknown[] }> = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  const decode: DecodeMessages = async (decoder) => {
    const { buffer, offset } = decoder;
    const first = offset + SIZE_BYTES;
    const hasBatch = buffer.length > first + MAGIC_OFFSET && buffer.readInt32BE(offset) > 0;
    // Nothing, a part of something, or the format of before 2017.
    if (!hasBatch || buffer.readInt8(first + MAGIC_OFFSET) !== MAGIC) return original(decoder);
    const size = decoder.readInt32();
    if (!decoder.canReadBytes(size)) return [];
    const batches = new Reader(decoder.readBytes(size));
    const all: unknown[] = [];
    while (batches.canReadBytes(RECORD_BATCH_OVERHEAD)) {
      try {
        const { records } = await decodeBatch(batches);
        for (const record of records) all.push(record);
      } catch (error) {
        // The last batch of a fetch may be cut short, and comes whole with the next.
        if (error instanceof Error && error.name === 'KafkaJSPartialMessageError') break;
        throw error;
      }
    }
    return all;
  };
  const loaded = require.cache[path];
  if (loaded === undefined) throw new Error('kafkajs has decoders elsewhere');
  loaded.exports = decode;
}
