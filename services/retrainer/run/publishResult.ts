import type { ModelVersion, VersionRequest } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { ReferenceProfiles } from '../../shared/profile/referenceProfiles.ts';
import type { JudgedVersion, RunResult } from '../artifacts/runResult.ts';
import { revisions } from '../store/modelVersionTable.ts';
import type { RetrainerStore } from '../store/store.ts';
import { recordOfGates } from '../versions/publishedVersion.ts';

/** Where results of runs go. */
export interface ResultTarget {
  store: Pick<RetrainerStore, 'versions'>;
  publish(version: ModelVersion): Promise<void>;
  publishReference(reference: ReferenceProfiles, model: string, version: string): Promise<void>;
  /** Asks for the promotion of a version that has passed the gates. */
  submit(request: VersionRequest): Promise<void>;
}

/**
 * Publishes the reference, then the version as a candidate, then that it was rejected. One that has
 * passed the gates is submitted instead, because only answers to requests make champions, and so is
 * one of which too little is known, because it may be served in shadow. A process
 * that was cut off, or one that is as far, may have done the same before. Rows come before events,
 * so that a reader who hears of a version can read about it.
 */
export async function publishResult(
  { version: judged, reference }: RunResult,
  { store, publish, publishReference, submit }: ResultTarget,
): Promise<void> {
  const { id: _, status, time, ...facts } = judged;
  await publishReference(reference, facts.model, facts.version);
  const candidate = recordOfGates(
    { ...facts, reasons: [], metrics: {}, verdict: null },
    'candidate',
    time,
  );
  await store.versions.insert(candidate, revisions.candidate, time);
  await publish(candidate);
  const isRejected = status === 'rejected' && facts.verdict !== 'inconclusive';
  const state = isRejected ? 'rejected' : 'candidate';
  const record = recordOfGates(facts, state, time);
  await store.versions.insert(record, revisions.judged, time);
  if (state === 'rejected') await publish(record);
  else await submit(submission(judged));
}

function submission({ model, version, time, runId }: JudgedVersion): VersionRequest {
  return {
    id: deterministicId('submit', model, version, runId),
    model,
    action: 'submit',
    version,
    expectedChampion: null,
    requestedBy: 'retrainer',
    note: null,
    time,
  };
}
