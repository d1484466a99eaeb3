import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { FoldState } from '../fold/foldState.ts';
import type { Checkpoint } from '../fold/versionFold.ts';

/** The states of all segments as text for a column. */
interface PackedStates {
  text: string;
  /** SHA-256 of the text. */
  digest: string;
  /** Size before compression. */
  bytes: number;
}

/**
 * Serializes the states by segment. They are plain data. V8's structured clone keeps maps, sets,
 * typed arrays, non-finite numbers, and which parts are shared. States of 20 features with a full
 * history take about 100 kB.
 */
function packStates(states: ReadonlyMap<string, FoldState>): PackedStates {
  const raw = serialize(states);
  const text = zstdCompressSync(raw).toString('base64');
  return { text, digest: digestOf(text), bytes: raw.length };
}

/** A checkpoint that is ready to be stored. */
export interface PackedCheckpoint extends PackedStates {
  windowStartMs: number;
  ordinal: number;
}

export function packCheckpoint({ windowStartMs, ordinal, states }: Checkpoint): PackedCheckpoint {
  return { windowStartMs, ordinal, ...packStates(states) };
}

/** @returns null if the text does not have the digest */
export function unpackStates(
  text: string,
  digest: string,
): { states: Map<string, FoldState>; bytes: number } | null {
  if (digestOf(text) !== digest) return null;
  const raw = zstdDecompressSync(Buffer.from(text, 'base64'));
  return { states: deserialize(raw), bytes: raw.length };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
