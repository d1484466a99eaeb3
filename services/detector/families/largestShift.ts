import { bucketInnerBound, bucketOuterBound } from '../../shared/profile/bucketKey.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { percent, shown } from './evidence.ts';

const maxNameLength = 40;

/**
 * Describes the share that changed most in the values of the variable, such as "values from 10 to
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
): string {
  return shiftStatement(referenceCounts, recentCounts, bin => binName(frozen, bin));
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
  const before = sharesOf(referenceCounts);
  const now = sharesOf(recentCounts);
  const change = (bin: number) => Math.abs(now[bin]! - before[bin]!);
  const largest = [...now.keys()].reduce((left, right) =>
    change(right) > change(left) ? right : left,
  );
  return `${nameOf(largest)} went from ${percent(before[largest]!)} to ${percent(now[largest]!)}`;
}

/** Quotes the name of a class or category, and shortens a long one. */
export function quoted(name: string): string {
  return JSON.stringify(
    name.length > maxNameLength ? `${name.slice(0, maxNameLength - 1)}…` : name,
  );
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map(count => (total > 0 ? count / total : 0));
}

/** Names the values of a bin. @example binName(age, 2) // 'values from 30 to 40' */
export function binName(
  { bins, binCount }: Pick<FrozenVariable, 'bins' | 'binCount'>,
  bin: number,
): string {
  if (bin >= binCount) return 'values that the reference never had';
  if (!('keys' in bins)) {
    if (bins.kind === 'hashes') return 'a group of categories';
    const named = [...bins.binOf].filter(([, of]) => of === bin);
    return named.length === 1 ? quoted(String(named[0]![0])) : 'a group of categories';
  }
  const { keys, mantissaBits } = bins;
  const upper = (key: number) => shown(upperBound(key, mantissaBits));
  if (bins.kind === 'values') return `the value ${shown(middle(keys[bin]!, mantissaBits))}`;
  if (bin === 0) return `values up to ${upper(keys[0]!)}`;
  if (bin === keys.length) return `values above ${upper(keys.at(-1)!)}`;
  return `values from ${upper(keys[bin - 1]!)} to ${upper(keys[bin]!)}`;
}

function upperBound(key: number, mantissaBits: number): number {
  return Math.max(bucketInnerBound(key, mantissaBits), bucketOuterBound(key, mantissaBits));
}

function middle(key: number, mantissaBits: number): number {
  const inner = bucketInnerBound(key, mantissaBits);
  return key === 0 ? 0 : inner + (bucketOuterBound(key, mantissaBits) - inner) / 2;
}
