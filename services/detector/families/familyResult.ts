import type { Measured } from '../significance/bestTest.ts';
import type { Family } from '../significance/family.ts';
import type { TestKey } from '../significance/streamHistory.ts';
import type { Evidence } from './evidence.ts';

/** What a family of tests found in a comparison, whether it alarms or not. */
export interface FamilyResult {
  family: Family;
  /** What it measured, as history of the stream. */
  tests: ReadonlyMap<TestKey, Measured>;
  /** Of its most significant test, corrected for their number; natural logarithm. */
  logPValue: number;
  /** null when it does not alarm. */
  evidence: Evidence | null;
}
