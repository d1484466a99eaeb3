import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompressFrameSync } from 'lz4-napi';
import { uncompressSync } from 'snappy';
import { BatchError, malformed } from './batchError.ts';
import { lz4FrameBytes } from './lz4FrameBytes.ts';

export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CodecName = (typeof codecNames)[number];

/**
 * Decompresses what a producer has compressed, up to a limit. No memory is reserved for more than
 * the limit, whatever size the bytes claim.
 * @throws BatchError for bytes that are damaged, or would become more than `maxBytes`
 */
export function boundedDecompress(codec: CodecName, bytes: Buffer, maxBytes: number): Buffer {
  try {
    return decompressors[codec](bytes, maxBytes);
  } catch (error) {
    if (error instanceof BatchError) throw error;
    const isTooLarge =
      error instanceof TooLargeError ||
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (!isTooLarge) throw malformed(`${codec} cannot decompress it: ${(error as Error).message}`);
    throw new BatchError('batch-too-large', `more than ${maxBytes} bytes after decompression`);
  }
}

class TooLargeError extends Error {}

const decompressors: Record<CodecName, (bytes: Buffer, maxBytes: number) => Buffer> = {
  none: bytes => bytes,
  gzip: (bytes, maxBytes) => gunzipSync(bytes, { maxOutputLength: maxBytes }),
  snappy: decompressSnappy,
  lz4: (bytes, maxBytes) => {
    if (lz4FrameBytes(bytes, maxBytes) > maxBytes) throw new TooLargeError();
    return decompressFrameSync(bytes);
  },
  zstd: (bytes, maxBytes) => zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),
};

const xerialMagic = Buffer.from([130, 83, 78, 65, 80, 80, 89, 0]);
const xerialHeaderBytes = 16;

/**
 * Decompresses Snappy: either one block, or as Kafka's Java clients write it, the header of xerial's
 * stream format and then blocks with a length each.
 */
function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic))
    return snappyBlock(bytes, maxBytes);
  const blocks: Buffer[] = [];
  let leftBytes = maxBytes;
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    const blockBytes = bytes.readUInt32BE(at);
    at += 4;
    if (at + blockBytes > bytes.length) throw malformed('the Snappy stream is cut off');
    const block = snappyBlock(bytes.subarray(at, at + blockBytes), leftBytes);
    leftBytes -= block.length;
    blocks.push(block);
    at += blockBytes;
  }
  return Buffer.concat(blocks);
}

/** A block begins with its decompressed length, for which the library reserves memory. */
function snappyBlock(block: Buffer, maxBytes: number): Buffer {
  let length = 0;
  for (let index = 0; ; index++) {
    const byte = block[index];
    if (byte === undefined || index > 4) throw malformed('no Snappy block');
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) break;
  }
  if (length > maxBytes) throw new TooLargeError();
  return uncompressSync(block) as Buffer;
}
