import { bucketInnerBound, bucketOuterBound } from '../../shared/profile/bucketKey.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { valueNames } from '../blocks/valueNames.ts';
import { percent, quoted, shown } from './evidence.ts';

/**
 * Returns the bin whose share changed most, and describes it, such as "values from 10 to
 * 20 went from 12 % to 34 %".
 *
 * @param referenceCounts valid values per bin in the reference; the last bin holds values that it
 *   never had
 * @param recentCounts the same in the recent blocks
 */
export function largestShift(
  frozen: FrozenVariable,
  referenceCounts: readonly number[],
  recentCounts: readonly number[],
): { bin: number; statement: string } {
  const bin = mostChangedBin(referenceCounts, recentCounts);
  return { bin, statement: statementOf(referenceCounts, recentCounts, bin, binName(frozen, bin)) };
}

/**
 * Describes the bin whose share changed most.
 * @example shiftStatement([90, 10], [50, 50], bin => `class ${bin}`) // 'class 0 went from 90 % to 50 %'
 */
export function shiftStatement(
  referenceCounts: readonly number[],
  recentCounts: readonly number[],
  nameOf: (bin: number) => string,
): string {
  const bin = mostChangedBin(referenceCounts, recentCounts);
  return statementOf(referenceCounts, recentCounts, bin, nameOf(bin));
}

function mostChangedBin(
  referenceCounts: readonly number[],
  recentCounts: readonly number[],
): number {
  const before = sharesOf(referenceCounts);
  const now = sharesOf(recentCounts);
  const change = (bin: number) => Math.abs(now[bin]! - before[bin]!);
  return [...now.keys()].reduce((left, right) => (change(right) > change(left) ? right : left));
}

function statementOf(
  referenceCounts: readonly number[],
  recentCounts: readonly number[],
  bin: number,
  name: string,
): string {
  const [before, now] = [referenceCounts, recentCounts].map(counts => sharesOf(counts)[bin]!);
  return `${name} went from ${percent(before!)} to ${percent(now!)}`;
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map(count => (total > 0 ? count / total : 0));
}

/** Names the values of a bin. @example binName(age, 2) // 'values from 30 to 40' */
export function binName(frozen: Pick<FrozenVariable, 'bins' | 'binCount'>, bin: number): string {
  const { bins, binCount } = frozen;
  if (bin >= binCount) return 'values that the reference never had';
  const name = valueNames(frozen)[bin];
  if (!('keys' in bins)) {
    if (name) return quoted(name);
    return bins.kind === 'hashes'
      ? 'a group of values, which have no names because there are too many,'
      : 'a group of rare values, which are counted together,';
  }
  if (name) return `the value ${name}`;
  const { keys, mantissaBits } = bins;
  const upper = (key: number) => shown(upperBound(key, mantissaBits));
  if (bin === 0) return `values up to ${upper(keys[0]!)}`;
  if (bin === keys.length) return `values above ${upper(keys.at(-1)!)}`;
  return `values from ${upper(keys[bin - 1]!)} to ${upper(keys[bin]!)}`;
}

function upperBound(key: number, mantissaBits: number): number {
  return Math.max(bucketInnerBound(key, mantissaBits), bucketOuterBound(key, mantissaBits));
}
