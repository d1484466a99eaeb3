import type { Measured } from './bestTest.ts';
import type { Evidence, Family } from './evidence.ts';
import type { TestKey } from './streamHistory.ts';

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
