import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Checkpoint, VersionFold } from '../fold/versionFold.ts';

/** The newest states of a fold as text for a column. */
interface PackedStates {
  text: string;
  /** SHA-256 of the text. */
  digest: string;
  /** Size before compression. */
  bytes: number;
}

/** What a checkpoint holds of a fold. */
type StoredFold = Pick<Checkpoint, 'states'> & Pick<VersionFold, 'truth'>;

/**
 * Serializes the newest states of a fold. They are plain data. V8's structured clone keeps maps,
 * sets, typed arrays, non-finite numbers, and which parts are shared. States of 20 features with a
 * full history take about 100 kB.
 */
function packStates(stored: StoredFold): PackedStates {
  const raw = serialize(stored);
  const text = zstdCompressSync(raw).toString('base64');
  return { text, digest: digestOf(text), bytes: raw.length };
}

/** A checkpoint that is ready to be stored. */
export interface PackedCheckpoint extends PackedStates {
  windowStartMs: number;
  ordinal: number;
}

/** Returns the newest checkpoint of a fold, with its labels; null for a fold without windows. */
export function packCheckpoint({ checkpoints, truth }: VersionFold): PackedCheckpoint | null {
  const newest = checkpoints.at(-1);
  if (!newest) return null;
  const { windowStartMs, ordinal, states } = newest;
  return { windowStartMs, ordinal, ...packStates({ states, truth }) };
}

/** @returns null if the text does not have the digest */
export function unpackStates(
  text: string,
  digest: string,
): (StoredFold & { bytes: number }) | null {
  if (digestOf(text) !== digest) return null;
  const raw = zstdDecompressSync(Buffer.from(text, 'base64'));
  const stored: StoredFold = deserialize(raw);
  return { ...stored, bytes: raw.length };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
