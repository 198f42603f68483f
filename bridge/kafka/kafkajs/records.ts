/**
 * Reads one record of a record batch. kafkajs 2.2.4 took a header named `constructor` or `__proto__` for one
 * that it had seen before, because each object has such a member; it copied all headers again for each one;
 * and it read on behind the end of a record that is broken.
 */
import type { HeaderValue, KafkaRecord } from '../record.ts';

/** A position in the bytes of one record. */
export interface RecordReader {
  readonly buffer: Buffer;
  readonly offset: number;
  readInt8(): number;
  readVarInt(): number;
  readVarLong(): { toString(): string };
  readVarIntBytes(): Buffer | null;
}

/** What a record takes from its batch. */
export interface RecordBase {
  readonly firstOffset: bigint;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: string;
  /** Whether the time is the broker's, which is that of the whole batch. */
  readonly hasBrokerTime: boolean;
}

/** @throws when the record has not the length that it says. */
export function readRecord(reader: RecordReader, base: RecordBase): KafkaRecord {
  // Its attributes, of which there are none yet.
  reader.readInt8();
  const timestampDelta = BigInt(reader.readVarLong().toString());
  const offsetDelta = BigInt(reader.readVarInt());
  const key = reader.readVarIntBytes();
  const value = reader.readVarIntBytes();
  const headers = readHeaders(reader);
  if (reader.offset !== reader.buffer.length) {
    throw new RangeError('a record has not the length that it says');
  }
  return {
    key,
    value,
    headers,
    offset: String(base.firstOffset + offsetDelta),
    timestamp: base.hasBrokerTime
      ? base.maxTimestamp
      : String(base.firstTimestamp + timestampDelta),
  };
}

/** A name that stands several times has a list. */
function readHeaders(reader: RecordReader): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = Object.create(null);
  const count = reader.readVarInt();
  if (count > reader.buffer.length) throw new RangeError(`a record says it has ${count} headers`);
  for (let index = 0; index < count; index++) {
    const name = reader.readVarIntBytes()?.toString('utf8') ?? '';
    // Kafka knows headers without a value. kafkajs cannot write them, so that a dead letter has it empty.
    const value = reader.readVarIntBytes() ?? Buffer.alloc(0);
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else headers[name] = [known, value];
  }
  return headers;
}
