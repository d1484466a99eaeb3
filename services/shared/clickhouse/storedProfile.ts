import type { ProfileRow } from '../profile/profileRow.ts';
import type { SampleRow } from '../profile/recordSample.ts';
import { millisecondsOf } from './timeExpressions.ts';

/** The columns of a profile, in window_profiles and reference_profiles alike. */
export const profileColumnNames = [
  'count',
  'missing',
  'non_finite',
  'numeric_count',
  'minimum',
  'maximum',
  'sum',
  'mantissa_bits',
  'bucket_keys',
  'bucket_counts',
  'categorical_count',
  'hashed',
  'category_values',
  'category_counts',
  'text_summary',
  'vector_summary',
] as const satisfies readonly (keyof ProfileRow)[];

/** The same as the list of a SELECT. */
export const profileColumns = profileColumnNames.join(', ');

/** A profile as it is read from window_profiles by `storedProfileColumns`. */
export interface StoredProfile extends ProfileRow {
  segment: string;
  start_ms: number;
  kind: 'feature' | 'output' | 'operation';
  feature: string;
}

/** The list of a SELECT that reads `StoredProfile`. */
export const storedProfileColumns = [
  'segment',
  `${millisecondsOf('window_start')} AS start_ms`,
  'toString(kind) AS kind',
  'feature',
  profileColumns,
].join(', ');

/** A sample of records as it is read from window_samples by `storedSampleColumns`. */
export interface StoredSample extends SampleRow {
  start_ms: number;
}

/** The list of a SELECT that reads `StoredSample`. */
export const storedSampleColumns = [
  `${millisecondsOf('window_start')} AS start_ms`,
  'id_hashes, features, codes, outputs',
].join(', ');
