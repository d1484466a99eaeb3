import { malformed } from './batchError.ts';

const magic = 0x184d2204;
const isStoredFlag = 0x80000000;
const minMatchBytes = 4;

/**
 * Returns the number of bytes that LZ4 frames decompress to, without decompressing them: the sum of
 * the lengths in their tokens. Stops when the sum exceeds a limit. The size that a frame claims is
 * not looked at. Takes time that is linear in the compressed bytes.
 *
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md beside it
 */
export function lz4FrameBytes(buffer: Buffer, maxBytes: number): number {
  let total = 0;
  for (let at = 0; at < buffer.length; ) {
    if (at + 7 > buffer.length || buffer.readUInt32LE(at) !== magic)
      throw malformed('no LZ4 frame');
    const flags = buffer[at + 4]!;
    const hasBlockChecksum = (flags & 0x10) !== 0;
    // Magic, flags, block size and header checksum; size and dictionary only where flags say so.
    at += 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
    for (;;) {
      if (at + 4 > buffer.length) throw malformed('the LZ4 frame is cut off');
      const field = buffer.readUInt32LE(at);
      at += 4;
      if (field === 0) break;
      const isStored = field >= isStoredFlag;
      const blockBytes = isStored ? field - isStoredFlag : field;
      const end = at + blockBytes;
      if (end > buffer.length) throw malformed('the LZ4 frame is cut off');
      total += isStored ? blockBytes : blockOutputBytes(buffer, at, end, maxBytes - total);
      if (total > maxBytes) return total;
      at = end + (hasBlockChecksum ? 4 : 0);
    }
    if ((flags & 0x04) !== 0) at += 4; // checksum of the content
  }
  return total;
}

/** Returns the sum of the lengths of all literals and matches, or more than `maxBytes`. */
function blockOutputBytes(buffer: Buffer, start: number, end: number, maxBytes: number): number {
  let total = 0;
  let at = start;
  const extended = (nibble: number) => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      if (at >= end) throw malformed('the LZ4 block is cut off');
      const byte = buffer[at++]!;
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (at < end && total <= maxBytes) {
    const token = buffer[at++]!;
    const literals = extended(token >> 4);
    at += literals;
    total += literals;
    if (at >= end) break; // the last sequence has no match
    at += 2; // distance of the match
    total += extended(token & 0x0f) + minMatchBytes;
  }
  return total;
}
