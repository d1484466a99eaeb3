import type { FeatureKind } from '../../shared/featureKind.ts';
import type { ProfileView } from '../../shared/kinds/viewedProfile.ts';
import type { Regime } from './reference.ts';

/** What a feature is, by the present reference of a version. */
export interface KnownFeature {
  feature: string;
  kind: FeatureKind;
  view: ProfileView;
  /** Whether the settings say so. */
  declared: boolean;
  /** The numbers behind it, with an example. */
  evidence: string;
  /** Event time from which the reference was taken. */
  sinceMs: number;
}

/** Returns what the features of a regime are, in the order of their names. */
export function knownFeatures({ frozen }: Regime): KnownFeature[] {
  return [...frozen.values()].flatMap(
    ({ name: feature, featureKind: kind, view, declared, evidence, sinceMs }) =>
      kind === null ? [] : [{ feature, kind, view, declared, evidence, sinceMs }],
  );
}
