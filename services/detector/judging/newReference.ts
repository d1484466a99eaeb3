import { knownFeatures } from '../reference/knownFeature.ts';
import type { KnownFeatures } from '../store/featureKinds.ts';
import type { WatchedVersion } from './watchedVersion.ts';

/** A version whose reference is not the one whose features were stored last. */
export interface NewReference {
  /** The version, as it is when they have been stored. */
  version: WatchedVersion;
  known: KnownFeatures;
}

/** Returns a version with what its features are; null if that is stored, or not known yet. */
export function newReference(version: WatchedVersion): NewReference | null {
  const newest = version.live?.fold.checkpoints.at(-1);
  const regime = newest?.states.get('')?.regime;
  if (!newest || !regime || regime.frozen === version.storedVariables) return null;
  return {
    version: { ...version, storedVariables: regime.frozen },
    known: {
      model: version.model,
      version: version.version,
      windows: newest.ordinal,
      features: knownFeatures(regime),
    },
  };
}
