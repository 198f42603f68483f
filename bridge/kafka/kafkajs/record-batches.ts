/**
 * A repair of kafkajs 2.2.4: how the record batches of a fetch are decoded.
 *
 * - It spread the records of a batch into one call's arguments, and more than some 125,000 overflowed
 *   the stack at every fetch. Now they are pushed one by one.
 * - It decoded a batch in one go. Now it lets other work run in between, such as `/health`.
 * - It read batches of any size, and a batch that cannot be read ended the consumer, again at every
 *   fetch. Now such a batch becomes one record that is marked as unreadable, and reading goes on.
 * - It forgot where a batch ends whose last records are gone. Now that is noted: see passed.ts.
 * - A message of the format of before 2017 had the same faults, and is read within the same bounds: see
 *   old-messages.ts.
 *
 * A batch: https://kafka.apache.org/documentation/#recordbatch
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Fault, KafkaRecord } from '../record.ts';
import { BatchTooLargeError, MAX_DECOMPRESSED_BYTES } from './codecs/codecs.ts';
import { unpackMessage } from './old-messages.ts';
import { notePassed } from './passed.ts';
import { type RecordReader, readRecord } from './records.ts';

/** The most records of one batch. */
const MAX_RECORDS_PER_BATCH = 500_000;
/** What a record takes of memory beside its own bytes. */
const RECORD_OVERHEAD_BYTES = 400;
/** After so many records, other work may run. They take some 5 ms. */
const RECORDS_PER_TURN = 2_000;

/** The first fields of a batch: its offset, and the length of everything after the length. */
const PREFIX_BYTES = 12;
const HEADER_BYTES = 61;
/** The magic byte stands at the same place in all formats. */
const LEAST_BYTES = 17;
const AT = {
  length: 8,
  magic: 16,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
};
const MAGIC = 2;
const CODEC_MASK = 0x07;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** A position in bytes that came from a broker. */
interface Decoder extends RecordReader {
  readInt32(): number;
  readBytes(size: number): Buffer;
  readVarIntBytes(): Buffer;
  canReadBytes(size: number): boolean;
}

interface Codec {
  decompress(buffer: Buffer): Promise<Buffer>;
}

type Context = ReturnType<typeof readContext>;
/** The format of before 2017 has no batches that could be of a transaction. */
type DecodedRecord = KafkaRecord & { isControlRecord?: boolean; batchContext?: Context };
type DecodeMessages = (decoder: Decoder) => Promise<unknown[]>;

interface Kafkajs {
  readonly Reader: new (bytes: Buffer) => Decoder;
  readonly codecOf: (attributes: number) => Codec | null;
}

/**
 * How much more may be read of one answer of a broker, which may have many partitions: each batch may be
 * small on the line and large in memory. The batches that are over it come again with the next fetch. None
 * starves: a partition that has filled a fetch fills its lane too, and is paused while others are read.
 */
const budgets = new AsyncLocalStorage<{ bytes: number }>();

export function patchDecoding(require: NodeJS.Require): void {
  patchFetch(require('kafkajs/src/broker').prototype);
  patchDecoder(require);
}

function patchFetch(prototype: { fetch(request: unknown): Promise<unknown> }): void {
  const original = prototype.fetch;
  prototype.fetch = function (request) {
    return budgets.run({ bytes: MAX_DECOMPRESSED_BYTES }, () => original.call(this, request));
  };
}

/** kafkajs loads its decoders at the first fetch, and they take this module as it is by then. */
function patchDecoder(require: NodeJS.Require): void {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  require(path);
  const kafkajs: Kafkajs = {
    Reader: require('kafkajs/src/protocol/decoder'),
    codecOf: require('kafkajs/src/protocol/message/compression').lookupCodecByAttributes,
  };
  const decode: DecodeMessages = async (decoder) => {
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return [];
    return decodeBatches(decoder.readBytes(size), kafkajs);
  };
  const loaded = require.cache[path];
  if (loaded === undefined) throw new Error('kafkajs has decoders elsewhere');
  loaded.exports = decode;
}

/** The records of the batches that are whole and fit. The last may be cut short, and comes again. */
async function decodeBatches(bytes: Buffer, kafkajs: Kafkajs): Promise<DecodedRecord[]> {
  const budget = budgets.getStore() ?? { bytes: MAX_DECOMPRESSED_BYTES };
  const records: DecodedRecord[] = [];
  let last: bigint | undefined;
  let start = 0;
  while (start + LEAST_BYTES <= bytes.length && budget.bytes > 0) {
    const length = bytes.readInt32BE(start + AT.length);
    const isBatch = bytes.readInt8(start + AT.magic) === MAGIC;
    const end = start + PREFIX_BYTES + length;
    const least = isBatch ? HEADER_BYTES : LEAST_BYTES;
    if (end < start + least) throw new RangeError(`a batch has length ${length}`);
    if (end > bytes.length) break;
    const batch = bytes.subarray(start, end);
    const known = records.length;
    const decode = isBatch ? decodeBatch : decodeMessage;
    budget.bytes -= await decode(batch, records, kafkajs);
    budget.bytes -= (records.length - known) * RECORD_OVERHEAD_BYTES;
    last = isBatch ? lastOffsetOf(batch) : batch.readBigInt64BE(0);
    start = end;
  }
  notePassed(records, last);
  return records;
}

/** Pushes the records of `batch`. Resolves with their size after decompression. */
async function decodeBatch(
  batch: Buffer,
  records: DecodedRecord[],
  { Reader, codecOf }: Kafkajs,
): Promise<number> {
  const context = readContext(batch);
  const packed = batch.subarray(HEADER_BYTES);
  const attributes = batch.readInt16BE(AT.attributes);
  const count = batch.readInt32BE(AT.count);
  const known = records.length;
  try {
    if ((attributes & CODEC_MASK) >= CODECS.length) {
      throw new RangeError('no such compression is known');
    }
    if (count < 0) throw new RangeError(`it says that it has ${count} records`);
    if (count > MAX_RECORDS_PER_BATCH) {
      throw new BatchTooLargeError(`it has ${count} records, and ${MAX_RECORDS_PER_BATCH} may be`);
    }
    // Compaction leaves batches without records, and says that these are compressed as they were.
    const codec = count > 0 ? codecOf(attributes) : null;
    const unpacked = codec === null ? packed : await codec.decompress(packed);
    const reader = new Reader(unpacked);
    for (let index = 0; index < count; index++) {
      const record: DecodedRecord = readRecord(new Reader(reader.readVarIntBytes()), context);
      record.isControlRecord = context.isControlBatch;
      record.batchContext = context;
      records.push(record);
      if ((index + 1) % RECORDS_PER_TURN === 0) await turn();
    }
    if (reader.canReadBytes(1)) throw new RangeError(`it has more than its ${count} records`);
    return unpacked.length;
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    records.length = known;
    records.push(unreadable(batch, packed, context, error));
    return packed.length;
  }
}

/** Pushes what `message`, of the format of before 2017, has. Resolves as `decodeBatch` does. */
async function decodeMessage(
  message: Buffer,
  records: DecodedRecord[],
  { codecOf }: Kafkajs,
): Promise<number> {
  const offset = message.readBigInt64BE(0).toString();
  try {
    const { records: unpacked, bytes } = await unpackMessage(message, {
      maxRecords: MAX_RECORDS_PER_BATCH,
      recordsPerTurn: RECORDS_PER_TURN,
      codecOf,
    });
    for (const record of unpacked) records.push(record);
    return bytes;
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    const fault = faultOf(error, `the message at offset ${offset}`);
    records.push({ ...NO_RECORD, value: message, offset, unreadable: fault });
    return message.length;
  }
}

/**
 * One record that stands for a batch which cannot be read, with its bytes as they came. It is put at
 * the batch's last offset, because reading may have begun in the middle of the batch.
 */
function unreadable(
  batch: Buffer,
  packed: Buffer,
  batchContext: Context,
  error: unknown,
): DecodedRecord {
  const codec = batch.readInt16BE(AT.attributes) & CODEC_MASK;
  const compression = CODECS[codec] ?? `of an unknown kind, ${codec}`;
  const last = lastOffsetOf(batch).toString();
  return {
    ...NO_RECORD,
    value: packed,
    timestamp: batchContext.maxTimestamp,
    offset: last,
    isControlRecord: batchContext.isControlBatch,
    batchContext,
    unreadable: faultOf(
      error,
      `the batch of the offsets ${batchContext.firstOffset} to ${last} (compression: ${compression})`,
    ),
  };
}

const NO_RECORD = { key: null, timestamp: '-1', headers: {} };

function faultOf(error: unknown, what: string): Fault {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: error instanceof BatchTooLargeError ? 'batch_too_large' : 'batch_unreadable',
    message: `${what} cannot be read: ${reason}`,
  };
}

/** It is no fault of the batch, which may be read another time. */
function isOutOfMemory(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'Z_MEM_ERROR') return true;
  return error instanceof RangeError && error.message === 'Array buffer allocation failed';
}

/** What the records of a batch have in common. */
function readContext(batch: Buffer) {
  const attributes = batch.readInt16BE(AT.attributes);
  return {
    firstOffset: batch.readBigInt64BE(0),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
    hasBrokerTime: (attributes & LOG_APPEND_TIME) !== 0,
    firstTimestamp: batch.readBigInt64BE(AT.firstTimestamp),
    maxTimestamp: batch.readBigInt64BE(AT.maxTimestamp).toString(),
    producerId: batch.readBigInt64BE(AT.producerId).toString(),
  };
}

function lastOffsetOf(batch: Buffer): bigint {
  return batch.readBigInt64BE(0) + BigInt(batch.readInt32BE(AT.lastOffsetDelta));
}
