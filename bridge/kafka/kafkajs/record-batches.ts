/**
 * A repair of kafkajs 2.2.4: how the record batches of a fetch are decoded.
 *
 * - It spread the records of a batch into one call's arguments, and more than some 125,000 overflowed
 *   the stack at every fetch. Now they are pushed one by one.
 * - It decoded a batch in one go. Now it lets other work run in between, such as `/health`.
 * - It forgot where a batch ends whose last records are gone. Now that is noted: see passed.ts.
 *
 * A batch: https://kafka.apache.org/documentation/#recordbatch
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { KafkaRecord } from '../record.ts';
import { notePassed } from './passed.ts';

/** After so many records, other work may run. They take some 5 ms. */
const RECORDS_PER_TURN = 2_000;

const SIZE_BYTES = 4;
/** The first fields of a batch: its offset, and the length of everything after the length. */
const PREFIX_BYTES = 12;
const HEADER_BYTES = 61;
const AT = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
};
const MAGIC = 2;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** A position in bytes that came from a broker. */
interface Decoder {
  readonly buffer: Buffer;
  readonly offset: number;
  readInt32(): number;
  readBytes(size: number): Buffer;
  readVarIntBytes(): Buffer;
  canReadBytes(size: number): boolean;
}

interface Codec {
  decompress(buffer: Buffer): Promise<Buffer>;
}

type Context = ReturnType<typeof readContext>;
type DecodedRecord = KafkaRecord & { readonly isControlRecord: boolean; batchContext: Context };
type DecodeMessages = (decoder: Decoder) => Promise<unknown[]>;

interface Kafkajs {
  readonly Reader: new (bytes: Buffer) => Decoder;
  readonly decodeRecord: (decoder: Decoder, context: Context) => DecodedRecord;
  readonly codecOf: (attributes: number) => Codec | null;
}

/** kafkajs loads its decoders at the first fetch, and they take this module as it is by then. */
export function patchDecoding(require: NodeJS.Require): void {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const original: DecodeMessages = require(path);
  const kafkajs: Kafkajs = {
    Reader: require('kafkajs/src/protocol/decoder'),
    decodeRecord: require('kafkajs/src/protocol/recordBatch/record/v0/decoder'),
    codecOf: require('kafkajs/src/protocol/message/compression').lookupCodecByAttributes,
  };
  const decode: DecodeMessages = async (decoder) => {
    const { buffer, offset } = decoder;
    const first = offset + SIZE_BYTES;
    const hasBatch = buffer.length > first + AT.magic && buffer.readInt32BE(offset) > 0;
    // Nothing, a part of something, or the format of before 2017.
    if (!hasBatch || buffer.readInt8(first + AT.magic) !== MAGIC) return original(decoder);
    const size = decoder.readInt32();
    if (!decoder.canReadBytes(size)) return [];
    return decodeBatches(decoder.readBytes(size), kafkajs);
  };
  const loaded = require.cache[path];
  if (loaded === undefined) throw new Error('kafkajs has decoders elsewhere');
  loaded.exports = decode;
}

/** The records of all batches that are whole. The last may be cut short, and comes with the next fetch. */
async function decodeBatches(bytes: Buffer, kafkajs: Kafkajs): Promise<DecodedRecord[]> {
  const records: DecodedRecord[] = [];
  let last: bigint | undefined;
  let start = 0;
  while (start + HEADER_BYTES <= bytes.length) {
    const end = start + PREFIX_BYTES + bytes.readInt32BE(start + AT.length);
    if (end > bytes.length) break;
    const batch = bytes.subarray(start, end);
    await decodeBatch(batch, records, kafkajs);
    last = lastOffsetOf(batch);
    start = end;
  }
  notePassed(records, last);
  return records;
}

/** Pushes the records of `batch`. */
async function decodeBatch(
  batch: Buffer,
  records: DecodedRecord[],
  { Reader, decodeRecord, codecOf }: Kafkajs,
): Promise<void> {
  const context = readContext(batch);
  const packed = batch.subarray(HEADER_BYTES);
  const count = batch.readInt32BE(AT.count);
  // Compaction leaves batches without records, and says that these are compressed as they were.
  const codec = count > 0 ? codecOf(batch.readInt16BE(AT.attributes)) : null;
  const reader = new Reader(codec === null ? packed : await codec.decompress(packed));
  for (let index = 0; index < count; index++) {
    records.push(decodeRecord(new Reader(reader.readVarIntBytes()), context));
    if ((index + 1) % RECORDS_PER_TURN === 0) await turn();
  }
}

/** What kafkajs's decoder of records reads of their batch, under its names. */
function readContext(batch: Buffer) {
  const attributes = batch.readInt16BE(AT.attributes);
  return {
    firstOffset: batch.readBigInt64BE(0).toString(),
    partitionLeaderEpoch: batch.readInt32BE(AT.leaderEpoch),
    magicByte: batch.readInt8(AT.magic),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
    /** Kafka's numbers for the clock of the producer, and that of the broker. */
    timestampType: (attributes & LOG_APPEND_TIME) === 0 ? 0 : 1,
    lastOffsetDelta: batch.readInt32BE(AT.lastOffsetDelta),
    firstTimestamp: batch.readBigInt64BE(AT.firstTimestamp).toString(),
    maxTimestamp: batch.readBigInt64BE(AT.maxTimestamp).toString(),
    producerId: batch.readBigInt64BE(AT.producerId).toString(),
    producerEpoch: batch.readInt16BE(AT.producerEpoch),
    firstSequence: batch.readInt32BE(AT.firstSequence),
  };
}

function lastOffsetOf(batch: Buffer): bigint {
  return batch.readBigInt64BE(0) + BigInt(batch.readInt32BE(AT.lastOffsetDelta));
}
