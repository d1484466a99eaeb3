import type { ModelVersion } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { ReferenceProfiles } from '../../shared/profile/referenceProfiles.ts';
import type { RunResult } from '../artifacts/runResult.ts';
import type { RetrainerStore } from '../store/store.ts';

/** Where results of runs go. */
export interface ResultTarget {
  store: Pick<RetrainerStore, 'versions'>;
  publish(version: ModelVersion): Promise<void>;
  publishReference(reference: ReferenceProfiles, model: string, version: string): Promise<void>;
}

/**
 * Publishes the reference, then the version as a candidate, then as it was judged. A process that
 * was cut off, or one that is as far, may have done the same before. Rows come before events, so
 * that a reader who hears of a version can read about it.
 */
export async function publishResult(
  { version, reference }: RunResult,
  { store, publish, publishReference }: ResultTarget,
): Promise<void> {
  const { model } = version;
  await publishReference(reference, model, version.version);
  const candidate: ModelVersion = {
    ...version,
    id: deterministicId('model-version', model, version.version, 'candidate'),
    status: 'candidate',
    reasons: [],
    metrics: {},
  };
  for (const state of [candidate, version]) {
    await store.versions.insert(state);
    await publish(state);
  }
}
