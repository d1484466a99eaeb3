import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';

const xerialMagic = Buffer.from([130, 83, 78, 65, 80, 80, 89, 0]);
const xerialHeaderBytes = 16;

/**
 * Decompresses Snappy as Kafka's Java clients write it: the header of xerial's stream format, then
 * blocks with a length each.
 */
function decompressSnappy(buffer: Buffer): Buffer {
  if (!buffer.subarray(0, xerialMagic.length).equals(xerialMagic))
    return uncompressSync(buffer) as Buffer;
  const blocks: Buffer[] = [];
  for (let position = xerialHeaderBytes; position < buffer.length; ) {
    const lengthBytes = buffer.readUInt32BE(position);
    position += 4;
    blocks.push(uncompressSync(buffer.subarray(position, position + lengthBytes)) as Buffer);
    position += lengthBytes;
  }
  return Buffer.concat(blocks);
}

/**
 * Registers Snappy, LZ4 and ZSTD with kafkajs, which itself reads gzip only and would crash on a
 * batch of any other codec.
 */
export function registerKafkaCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: async (encoder: { buffer: Buffer }) => compressSync(encoder.buffer),
    decompress: async (buffer: Buffer) => decompressSnappy(buffer),
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async (encoder: { buffer: Buffer }) => compressFrameSync(encoder.buffer),
    decompress: async (buffer: Buffer) => decompressFrameSync(buffer),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async (encoder: { buffer: Buffer }) => zstdCompressSync(encoder.buffer),
    decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
  });
}
