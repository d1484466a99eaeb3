/*
 * The newest records of a source partition are those of its newest two blocks of positions, so that
 * their number is a function of the positions alone.
 */

import { offsetsPerIncarnation } from './partitionStart.ts';

/** Positions of a block. */
export const recordsPerBlock = 500;

export function blockOf(position: number): number {
  return Math.floor(position / recordsPerBlock);
}

/**
 * Returns the first position of the newest records of a partition.
 * @param end position behind its last record
 * @example firstRecentPosition(1_234) // 500
 */
export function firstRecentPosition(end: number): number {
  const base = Math.floor((end - 1) / offsetsPerIncarnation) * offsetsPerIncarnation;
  return Math.max((blockOf(end - 1) - 1) * recordsPerBlock, base);
}

/** Usable records among the newest ones of a source partition. */
export interface RecentRecords {
  /** Block of the last of them; -1 before the first one. */
  block: number;
  inBlock: number;
  inPreviousBlock: number;
}

export function noRecentRecords(): RecentRecords {
  return { block: -1, inBlock: 0, inPreviousBlock: 0 };
}

/** Counts a record. Positions ascend. */
export function countRecent(recent: RecentRecords, position: number): void {
  const block = blockOf(position);
  if (block !== recent.block) {
    recent.inPreviousBlock = block === recent.block + 1 ? recent.inBlock : 0;
    recent.inBlock = 0;
    recent.block = block;
  }
  recent.inBlock++;
}

/** Returns how many of the records are among the newest of a partition that ends here. */
export function recentAt({ block, inBlock, inPreviousBlock }: RecentRecords, end: number): number {
  const newest = blockOf(end - 1);
  if (block >= newest) return inBlock + inPreviousBlock;
  return block === newest - 1 ? inBlock : 0;
}
