/**
 * The message format of before 2017, of which a broker may still have segments. A message that is
 * compressed is a wrapper: its value is a list of messages. It has its last message's offset.
 * https://kafka.apache.org/documentation/#messageset
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { KafkaRecord } from '../record.ts';
import { BatchTooLargeError } from './codecs/codecs.ts';

const PREFIX_BYTES = 12;
const AT = { length: 8, magic: 16, attributes: 17, fields: 18 };
const TIMESTAMP_BYTES = 8;
const LENGTH_BYTES = 4;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
/** Format 0 has no time. */
const NO_TIME = '-1';

/** How `unpackMessage` is bounded, and how it finds a codec. */
export interface MessageLimits {
  readonly maxRecords: number;
  readonly recordsPerTurn: number;
  readonly codecOf: (attributes: number) => { decompress(buffer: Buffer): Promise<Buffer> } | null;
}

export interface Unpacked {
  readonly records: readonly KafkaRecord[];
  /** How many bytes they take after decompression. */
  readonly bytes: number;
}

/** @throws when `message` is broken or over a bound. */
export async function unpackMessage(message: Buffer, limits: MessageLimits): Promise<Unpacked> {
  const wrapper = readMessage(message);
  const attributes = message.readInt8(AT.attributes);
  if ((attributes & CODEC_MASK) === 0) return { records: [wrapper], bytes: message.length };
  const codec = limits.codecOf(attributes);
  if (codec === null || wrapper.value === null) throw new RangeError('it has nothing to unpack');
  const unpacked = await codec.decompress(wrapper.value);
  const records: KafkaRecord[] = [];
  for (let at = 0; at < unpacked.length; ) {
    const end = at + PREFIX_BYTES + unpacked.readInt32BE(at + AT.length);
    if (end > unpacked.length) throw new RangeError('a message in it is cut short');
    if (records.length === limits.maxRecords) {
      throw new BatchTooLargeError(`it has more than ${limits.maxRecords} records`);
    }
    records.push(readMessage(unpacked.subarray(at, end)));
    if (records.length % limits.recordsPerTurn === 0) await turn();
    at = end;
  }
  return { records: placed(records, message), bytes: unpacked.length };
}

/** The messages of a wrapper, with their own offsets and the time that counts. */
function placed(records: readonly KafkaRecord[], wrapper: Buffer): KafkaRecord[] {
  const last = records.at(-1);
  if (last === undefined) throw new RangeError('it has no messages');
  // Format 0 has offsets of the log. Those of format 1 are counted within the wrapper.
  if (wrapper.readInt8(AT.magic) === 0) return [...records];
  const base = wrapper.readBigInt64BE(0) - BigInt(last.offset);
  const isBrokerTime = (wrapper.readInt8(AT.attributes) & LOG_APPEND_TIME) !== 0;
  const time = wrapper.readBigInt64BE(AT.fields).toString();
  return records.map((record) => ({
    ...record,
    offset: String(base + BigInt(record.offset)),
    timestamp: isBrokerTime ? time : record.timestamp,
  }));
}

function readMessage(message: Buffer): KafkaRecord {
  const hasTime = message.readInt8(AT.magic) > 0;
  const key = readBytes(message, AT.fields + (hasTime ? TIMESTAMP_BYTES : 0));
  const value = readBytes(message, key.end);
  if (value.end !== message.length) throw new RangeError('a message has not the length it says');
  return {
    offset: message.readBigInt64BE(0).toString(),
    timestamp: hasTime ? message.readBigInt64BE(AT.fields).toString() : NO_TIME,
    key: key.bytes,
    value: value.bytes,
    headers: {},
  };
}

function readBytes(message: Buffer, at: number): { bytes: Buffer | null; end: number } {
  const length = message.readInt32BE(at);
  const start = at + LENGTH_BYTES;
  if (length < 0) return { bytes: null, end: start };
  return { bytes: message.subarray(start, start + length), end: start + length };
}
