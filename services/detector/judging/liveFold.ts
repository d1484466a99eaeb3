import { serialize } from 'node:v8';
import type { VersionFold } from '../fold/versionFold.ts';

/** A fold in memory, with the last measurement of its size. Never changed once made. */
export interface LiveFold {
  fold: VersionFold;
  /** Bytes of the newest states, serialized, when `measuredOrdinal` windows had been folded. */
  stateBytes: number;
  measuredOrdinal: number;
}

const windowsPerMeasurement = 64;
/**
 * Measured: a fold with the states of its last windows, the states of its labels and all of its
 * notes takes this many times its `stateBytes`.
 */
const heapBytesPerStateByte = 11;

/** Returns a fold with the size that the states before it had. */
export function liveFold(fold: VersionFold, stateBytes = 0, measuredOrdinal = 0): LiveFold {
  return { fold, stateBytes, measuredOrdinal };
}

/**
 * Returns the fold with its size measured, if it may be out of date. States grow until their
 * history is full, so they are measured when they may have doubled, and every 64 windows.
 */
export function measured(live: LiveFold): LiveFold {
  const { fold, measuredOrdinal } = live;
  const newest = fold.checkpoints.at(-1);
  const dueOrdinal = Math.min(2 * measuredOrdinal, measuredOrdinal + windowsPerMeasurement);
  if (!newest || newest.ordinal < dueOrdinal) return live;
  return liveFold(fold, serialize(newest.states).length, newest.ordinal);
}

/** Estimates the memory that a fold takes. */
export function heapBytesOf({ stateBytes }: LiveFold): number {
  return stateBytes * heapBytesPerStateByte;
}
