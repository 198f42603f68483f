/**
 * The compressions that Kafka's producers use, each off the main thread and within a bound. kafkajs has
 * gzip only, without a bound, and a batch in a codec that it lacks ends its consumer. gzip and zstd come
 * from Node itself; snappy and lz4 are prebuilt native code from snappy and lz4-napi (kafkajs-lz4 needs
 * a compiler at install, and kafkajs-snappy takes half a minute for 64 MB and blocks everything else).
 */
import { promisify } from 'node:util';
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress as compressSnappy } from 'snappy';
import { lz4Bound } from './lz4-frame.ts';
import { unpackSnappy } from './xerial.ts';

/**
 * The most bytes of one batch after decompression. A producer's batches are some 16 KB to 1 MB; a batch
 * of a few kilobytes that unpacks to gigabytes must not end the bridge.
 */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** The batch is over a bound, so it is not read. */
export class BatchTooLargeError extends Error {}

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const compressGzip = promisify(gzip);
const decompressGzip = promisify(gunzip);
const compressZstd = promisify(zstdCompress);
const decompressZstd = promisify(zstdDecompress);

/** zlib stops there, however large its input says that it is. */
const BOUND = { maxOutputLength: MAX_DECOMPRESSED_BYTES };

const gzipCodec: Codec = {
  compress: ({ buffer }) => compressGzip(buffer),
  decompress: (packed) => decompressGzip(packed, BOUND).catch(nameSizeError),
};

const snappyCodec: Codec = {
  compress: ({ buffer }) => compressSnappy(buffer),
  decompress: (packed) => unpackSnappy(packed, checkSize),
};

const lz4Codec: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  async decompress(packed) {
    checkSize(lz4Bound(packed));
    return decompressFrame(packed);
  },
};

const zstdCodec: Codec = {
  compress: ({ buffer }) => compressZstd(buffer),
  decompress: (packed) => decompressZstd(packed, BOUND).catch(nameSizeError),
};

/** Makes all of them known to kafkajs, for reading and for writing. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}

function checkSize(bytes: number): void {
  if (bytes > MAX_DECOMPRESSED_BYTES) throw tooLarge();
}

function nameSizeError(error: NodeJS.ErrnoException): never {
  throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : error;
}

function tooLarge(): BatchTooLargeError {
  return new BatchTooLargeError(`it unpacks to more than ${MAX_DECOMPRESSED_BYTES} bytes`);
}
