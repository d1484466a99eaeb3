import { locateArtifact } from '../../services/shared/artifacts/openArtifactStore.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { UserError } from '../../services/shared/userError.ts';
import { requestedBy } from '../servers/publishRequest.ts';
import { withArtifactMistakes } from './artifactMistakes.ts';
import { insertRemoved } from './artifactQueries.ts';
import type { KeptDataset, KeptVersion, PruneDecision, PrunePlan } from './prunePlan.ts';
import { requestVersion } from './requestVersion.ts';

/**
 * Removes what a plan says, versions before their datasets. What was removed is recorded
 * afterwards, so that after a crash the next call removes and records the rest.
 * @param onKept receives what could not be removed after all, and why
 */
export async function pruneArtifacts(
  { versions, datasets }: PrunePlan,
  clickhouse: Clickhouse,
  environment: Environment,
  timeoutMs: number,
  onKept: (what: string, reason: string) => void,
): Promise<void> {
  const datasetsToKeep = new Set<string>();
  for (const { of: version, reason } of versions.filter(({ remove }) => remove)) {
    const refusal = await retire(version, reason, environment, timeoutMs);
    if (refusal === null) await removeVersion(version, reason, clickhouse);
    else {
      datasetsToKeep.add(`${version.model}\0${version.datasetId}`);
      onKept(`version ${version.version} of ${version.model}`, refusal);
    }
  }
  for (const decision of datasets.filter(({ remove }) => remove)) {
    const { model, id } = decision.of;
    if (datasetsToKeep.has(`${model}\0${id}`))
      onKept(`dataset ${id} of ${model}`, 'Its version is kept.');
    else await removeDataset(decision, clickhouse);
  }
}

/**
 * Has a version retired that somebody could go back to meanwhile.
 * @returns why that was refused, or null
 */
async function retire(
  { model, version, state }: KeptVersion,
  reason: string,
  environment: Environment,
  timeoutMs: number,
): Promise<string | null> {
  if (state !== 'superseded') return null;
  const note = `Its files are removed by "versions prune". ${reason}`;
  const action = 'retire' as const;
  try {
    const request = { model, version, action, expectedChampion: null, note };
    await requestVersion(environment, request, timeoutMs);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function removeVersion(
  { model, version, artifactUri: uri, artifactChecksum: checksum }: KeptVersion,
  reason: string,
  clickhouse: Clickhouse,
): Promise<void> {
  await remove(uri);
  await insertRemoved(clickhouse, {
    ...{ model, uri, version, checksum, reason },
    removed_by: requestedBy(),
  });
}

async function removeDataset(
  { of: { model, id, uri, checksum }, reason }: PruneDecision<KeptDataset>,
  clickhouse: Clickhouse,
): Promise<void> {
  await remove(uri);
  await insertRemoved(clickhouse, {
    ...{ model, uri, dataset_id: id, checksum, reason },
    removed_by: requestedBy(),
  });
}

function remove(uri: string): Promise<void> {
  return withArtifactMistakes(() => {
    const { store, path } = locateArtifact(uri);
    return store.remove(path);
  });
}
