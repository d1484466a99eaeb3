import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Cycle } from '../reference/calendar.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import type { FamilyName } from '../significance/family.ts';

/** One number for one feature in one window: a row of drift_metrics. */
export interface DriftMetric {
  /** Empty for a distance from the first reference, which decides nothing. */
  family: FamilyName | '';
  kind: VariableKind | 'performance';
  /** Empty for performance. */
  feature: string;
  metric: string;
  value: number;
  /** The same metric in the reference; null if it has none. */
  referenceValue: number | null;
  /** Null if no value exceeds it. */
  threshold: number | null;
  pValue: number | null;
  /** The p-value that the test needed; null for a distance. */
  level: number | null;
  records: number;
  referenceRecords: number;
  reference: ReferenceSource;
  /**
   * Cycle whose same times the window is compared with; null if it is compared with all earlier
   * windows of the reference.
   */
  cycle: Cycle | null;
  scale: number;
  overdispersion: number | null;
  /**
   * Probability that the statistic varies as sampling noise does on this stream; null for a
   * distance.
   */
  noiseWeight: number | null;
  /**
   * Sentence that says why a value over its threshold belongs to no drift event; empty if it
   * belongs to one.
   */
  reason: string;
}
