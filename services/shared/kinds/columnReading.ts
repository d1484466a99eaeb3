import type { FeatureKind } from '../featureKind.ts';
import { commaNumber } from '../profile/commaNumber.ts';
import { addValue, emptyFeatureProfile, type FeatureValue } from '../profile/featureProfile.ts';
import { writtenNumber } from '../profile/writtenNumber.ts';
import { type FeaturePart, kindOfFeature } from './kindOfFeature.ts';
import type { ProfileView } from './viewedProfile.ts';

/** How the values of a feature are read where something is learned from records. */
export interface ColumnReading {
  kind: FeatureKind;
  view: ProfileView;
}

const partCount = 10;

/** Of these nothing can be learned about later records, which have other values. */
const unlearnable: ReadonlySet<FeatureKind> = new Set<FeatureKind>([
  'identifier',
  'free-text',
  'time',
  'counter',
]);

/**
 * Returns whether something about later records can be learned from a feature: not from texts that
 * hardly come again, nor from times and counters.
 */
export function isLearnable(kind: FeatureKind): boolean {
  return !unlearnable.has(kind);
}

/**
 * Returns what a feature is by the values of records (`kindOfFeature`), and as what they are read.
 * O(values).
 *
 * @param values one per record, in the order of time
 * @param declared kind by the settings
 */
export function columnReading(
  name: string,
  values: readonly FeatureValue[],
  declared?: FeatureKind,
): ColumnReading {
  const count = Math.min(partCount, values.length);
  const parts = Array.from({ length: count }, (_, part): FeaturePart => {
    const profile = emptyFeatureProfile();
    const end = Math.floor(((part + 1) * values.length) / count);
    for (let index = Math.floor((part * values.length) / count); index < end; index++)
      addValue(profile, values[index]);
    // The times of the records are not known here, and numbers near them are told by growing.
    return { startMs: part, endMs: part + 1, profile };
  });
  if (count === 0) return { kind: 'numeric', view: 'logged' };
  const { kind, view } = kindOfFeature(name, parts, declared);
  return { kind, view };
}

/** Returns a value as it is read: a text that says a number is the number. */
export function readValue(value: FeatureValue, view: ProfileView): FeatureValue {
  if ((view !== 'numbers' && view !== 'commas') || typeof value !== 'string') return value;
  const number = view === 'commas' ? commaNumber(value) : writtenNumber(value);
  return Number.isNaN(number) ? value : number;
}
