import type { ChangedValue } from '../../shared/contracts.ts';
import type { FamilyName } from '../significance/family.ts';
import { earlierRecords } from '../significance/testBestReference.ts';
import type { TestResult } from './testResult.ts';

/** A family of tests that said "changed", with the result that speaks for it. */
export interface Evidence {
  family: FamilyName;
  /** Number of recent blocks that were pooled. */
  scale: number;
  feature: string | null;
  metric: string;
  value: number;
  /** Value at which the test says "changed". */
  threshold: number;
  pValue: number;
  /**
   * Natural logarithm of the p-value. It distinguishes p-values that are too small for a number.
   */
  logPValue: number;
  records: number;
  referenceRecords: number;
  /** Whether the change is smaller than the setting `minimumEffect`, so that it is no alarm. */
  small?: boolean;
  /** Whether the change is large enough to matter on its own, for any number of records. */
  large: boolean;
  /**
   * Size of the change whatever the number of records: of distributions the PSI less what sampling
   * brings about, of rates Cohen's h. Undefined for others.
   */
  effect?: number;
  /**
   * Rise of the error rate, of all records also where a class became worse; Infinity for a mean
   * loss, which has no upper bound. Only errors have a rise.
   */
  rise?: number;
  /**
   * Size of the change per record, so that this times the records is about the same for all
   * predictions as for the only segment that changed: the rise of a rate or of a mean, or the total
   * variation between two distributions. Undefined where a family has none.
   */
  excess?: number;
  /** Share of each changed feature in the effect. The shares sum to 1; empty if there are none. */
  contributions: Record<string, number>;
  /** Change of the mean output due to each changed feature; empty if that is unknown. */
  predictionContributions: Record<string, number>;
  /** Values that are new or gone. */
  values: readonly ChangedValue[];
  /** Says what changed and by how much, for a person without statistics. */
  summary: string;
  /** The numbers of the test that decided. */
  numbers: string;
}

type Interpretation = Pick<Evidence, 'large' | 'summary'> &
  Partial<
    Pick<
      Evidence,
      | 'effect'
      | 'excess'
      | 'feature'
      | 'rise'
      | 'small'
      | 'contributions'
      | 'predictionContributions'
      | 'values'
    >
  >;

/** Returns the evidence that a result gives, with what its family makes of it. */
export function evidenceOf(result: TestResult, interpretation: Interpretation): Evidence {
  const { family, scale, feature, metric, value, logPValue, records, referenceRecords } = result;
  const { pValue, threshold } = result.detail();
  return {
    family,
    scale,
    feature: feature === '' ? null : feature,
    metric,
    value,
    threshold,
    pValue,
    logPValue,
    records,
    referenceRecords,
    contributions: {},
    predictionContributions: {},
    values: [],
    numbers: numbersOf(result),
    ...interpretation,
  };
}

/**
 * Describes the numbers of a result.
 * @example numbersOf(result) // 'psi of age 0.31 (threshold 0.12, p 2e-9; 200 records against 1000)'
 */
export function numbersOf(result: TestResult): string {
  const { pValue, threshold, overdispersion } = result.detail();
  const name = `${result.metric}${result.feature === '' ? '' : ` of ${result.feature}`}`;
  const limits = [
    `threshold ${shown(threshold)}`,
    `p ${shown(pValue)}`,
    ...(overdispersion === null ? [] : [`dispersion ${shown(overdispersion)}`]),
  ];
  const counted = result.kind === 'performance' ? 'labels' : 'records';
  const sizes = `${result.records} ${counted} against ${earlierRecords(result)}`;
  return `${name} ${shown(result.value)} (${limits.join(', ')}; ${sizes})`;
}

/**
 * Returns the share of each name in the sum of the effects.
 * @example shares([['a', 3], ['b', 1]]) // { a: 0.75, b: 0.25 }
 */
export function shares(effects: readonly (readonly [string, number])[]): Record<string, number> {
  const total = effects.reduce((sum, [, effect]) => sum + effect, 0);
  return Object.fromEntries(
    effects.map(([name, effect]) => [name, total > 0 ? effect / total : 1 / effects.length]),
  );
}

/**
 * Formats a number with three significant digits.
 * @example shown(0.123456) // '0.123'
 */
export function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/**
 * Formats a share as a percentage.
 * @example percent(0.1234) // '12.3 %'
 */
export function percent(share: number): string {
  return `${shown(share * 100)} %`;
}

const maxNameLength = 40;

/** Quotes the name of a class or category, and shortens a long one. */
export function quoted(name: string): string {
  return JSON.stringify(
    name.length > maxNameLength ? `${name.slice(0, maxNameLength - 1)}…` : name,
  );
}
