/**
 * snappy as Kafka's producers write it. Java's is framed by snappy-java ("xerial"): a head of 16 bytes,
 * then blocks of some 32 KiB, each after its length. librdkafka and kafkajs write one block and no frame.
 * https://github.com/xerial/snappy-java#compatibility-notes
 */
import { uncompress } from 'snappy';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic bytes and two versions. */
const HEAD_BYTES = 16;
const LENGTH_BYTES = 4;
/** A block begins with its size as a varint of at most 32 bits. */
const MAX_VARINT_BYTES = 5;
const MORE = 0x80;

/** @param check throws when the size is more than may be. It is asked before anything is unpacked. */
export async function unpackSnappy(
  packed: Buffer,
  check: (bytes: number) => void,
): Promise<Buffer> {
  const blocks = packed.subarray(0, MAGIC.length).equals(MAGIC) ? split(packed) : [packed];
  const sizes = blocks.map(unpackedSize);
  check(sizes.reduce((sum, size) => sum + size, 0));
  const unpacked: Buffer[] = [];
  for (const block of blocks) unpacked.push((await uncompress(block)) as Buffer);
  return unpacked.length === 1 ? (unpacked[0] as Buffer) : Buffer.concat(unpacked);
}

function split(packed: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = HEAD_BYTES;
  while (at < packed.length) {
    // A stream that was closed and continued has another head.
    if (packed.subarray(at, at + MAGIC.length).equals(MAGIC)) {
      at += HEAD_BYTES;
      continue;
    }
    const end = at + LENGTH_BYTES + packed.readUInt32BE(at);
    if (end > packed.length) throw new RangeError('a snappy block is cut short');
    blocks.push(packed.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return blocks;
}

function unpackedSize(block: Buffer): number {
  let size = 0;
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = block.readUInt8(index);
    size += (byte & ~MORE) * 2 ** (7 * index);
    if ((byte & MORE) === 0) return size;
  }
  throw new RangeError('a snappy block has no size');
}
