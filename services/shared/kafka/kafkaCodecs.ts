import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { batchLimits } from './protocol/batchLimits.ts';
import { boundedDecompress, type CodecName } from './protocol/boundedDecompress.ts';
import kafkajs from './protocol/kafkajs.ts';

/**
 * Registers the codecs with kafkajs, which itself knows gzip only and bounds nothing. It decompresses
 * with them what is older than Kafka 0.11; batches are read by `decodeRecordSet`.
 */
export function registerKafkaCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const register = (
    type: keyof typeof CompressionCodecs,
    name: CodecName,
    compress: (bytes: Buffer) => Buffer,
  ) => {
    CompressionCodecs[type] = () => ({
      compress: async (encoder: { buffer: Buffer }) => compress(encoder.buffer),
      decompress: async (bytes: Buffer) => boundedDecompress(name, bytes, batchLimits.maxBytes),
    });
  };
  register(CompressionTypes.GZIP, 'gzip', bytes => gzipSync(bytes));
  register(CompressionTypes.Snappy, 'snappy', bytes => compressSync(bytes));
  register(CompressionTypes.LZ4, 'lz4', bytes => compressFrameSync(bytes));
  register(CompressionTypes.ZSTD, 'zstd', bytes => zstdCompressSync(bytes));
}
