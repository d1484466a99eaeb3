import { kindOfFeature } from '../../services/shared/kinds/kindOfFeature.ts';
import { dimensionOf, viewedProfile } from '../../services/shared/kinds/viewedProfile.ts';
import {
  type FeatureProfile,
  mergeFeatureProfiles,
} from '../../services/shared/profile/featureProfile.ts';
import { displayBins, quantile } from './displayBins.ts';
import type { VariableName, WindowProfile } from './profileQueries.ts';

/** A stretch of neighbouring windows that is shown as one. */
export interface PeriodView {
  startMs: number;
  records: number;
  /** Share of the records in each bin. */
  shares: number[];
  missingRate: number;
  /** The 5 %, 50 % and 95 % quantiles of numbers; null where there are none. */
  quantiles: [number, number, number] | null;
}

/** The distribution of a feature or output in the reference and over time. */
export interface VariableView extends VariableName {
  type: 'numeric' | 'categorical';
  labels: string[];
  /** Share of the records of the reference in each bin. */
  reference: number[];
  referenceRecords: number;
  periods: PeriodView[];
}

/**
 * Returns how profiles are shown: texts that are numbers as these, and vectors by their norms, as
 * they are compared.
 */
function shownAs(
  { kind, name }: VariableName,
  reference: FeatureProfile,
): (profile: FeatureProfile) => FeatureProfile {
  if (kind === 'output') return profile => profile;
  const { view } = kindOfFeature(name, [{ startMs: 0, endMs: 0, profile: reference }]);
  const isShown = view === 'numbers' || dimensionOf(view) !== null;
  return profile => (isShown && viewedProfile(profile, view)) || profile;
}

/**
 * Returns what a person looks at of a variable: its distribution in a few periods, in bins that
 * they share with the reference. O(windows · buckets).
 * @param windows in the order of time
 * @param periodOf returns the period that a window belongs to, by its start
 */
export function variableView(
  variable: VariableName,
  loggedReference: FeatureProfile,
  loggedWindows: readonly WindowProfile[],
  periodOf: (startMs: number) => number,
): VariableView {
  const shown = shownAs(variable, loggedReference);
  const reference = shown(loggedReference);
  const windows = loggedWindows.map(({ startMs, profile }) => ({
    startMs,
    profile: shown(profile),
  }));
  const all = mergeFeatureProfiles(reference, ...windows.map(({ profile }) => profile));
  const bins = displayBins(reference, all);
  const periods = [...Map.groupBy(windows, ({ startMs }) => periodOf(startMs)).values()];
  return {
    ...variable,
    type: bins.type,
    labels: bins.labels,
    reference: bins.sharesOf(reference),
    referenceRecords: reference.count,
    periods: periods.map(members => {
      const profile = mergeFeatureProfiles(...members.map(member => member.profile));
      const { numeric, count, missing } = profile;
      return {
        startMs: members[0]!.startMs,
        records: count,
        shares: bins.sharesOf(profile),
        missingRate: count === 0 ? 0 : missing / count,
        quantiles:
          bins.type === 'categorical' || numeric.count === 0
            ? null
            : [quantile(numeric, 0.05), quantile(numeric, 0.5), quantile(numeric, 0.95)],
      };
    }),
  };
}
