/**
 * How much an lz4 frame can unpack to, from its heads alone: lz4-napi takes no bound, and the size that
 * a frame may declare is only its producer's word.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */

const MAGIC = 0x184d2204;
const FLAGS_AT = 4;
const BLOCK_DESCRIPTOR_AT = 5;
const HEAD_BYTES = 7;
const HAS_DICTIONARY = 0x01;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_CONTENT_SIZE = 0x08;
const HAS_BLOCK_CHECKSUM = 0x10;
/** Set in a block's length when the block is stored as it is. */
const STORED = 0x80000000;
const WORD_BYTES = 4;
const CONTENT_SIZE_BYTES = 8;

/** An upper bound in bytes. Each block except the last is full, as all known writers make them. */
export function lz4Bound(packed: Buffer): number {
  let bound = 0;
  let at = 0;
  while (at + HEAD_BYTES <= packed.length) {
    if (packed.readUInt32LE(at) !== MAGIC) throw new RangeError('this is no lz4 frame');
    const flags = packed.readUInt8(at + FLAGS_AT);
    const blockBytes = blockBytesOf(packed.readUInt8(at + BLOCK_DESCRIPTOR_AT));
    at += HEAD_BYTES;
    if (flags & HAS_CONTENT_SIZE) at += CONTENT_SIZE_BYTES;
    if (flags & HAS_DICTIONARY) at += WORD_BYTES;
    while (at < packed.length) {
      const length = packed.readUInt32LE(at);
      at += WORD_BYTES;
      if (length === 0) break;
      const isStored = length >= STORED;
      const bytes = isStored ? length - STORED : length;
      // A block unpacks to at most 255 bytes for each of its own.
      bound += isStored ? bytes : Math.min(blockBytes, bytes * 255);
      at += bytes + (flags & HAS_BLOCK_CHECKSUM ? WORD_BYTES : 0);
    }
    if (flags & HAS_CONTENT_CHECKSUM) at += WORD_BYTES;
  }
  return bound;
}

/** 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
function blockBytesOf(descriptor: number): number {
  return 2 ** (8 + 2 * ((descriptor >> 4) & 0x07));
}
