import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactStore, RepeatRequest } from '../shared/artifacts/artifactStore.ts';
import { localFolder, openArtifactStore } from '../shared/artifacts/openArtifactStore.ts';
import { isTransientS3Error } from '../shared/artifacts/s3ArtifactStore.ts';
import { retryTransient } from '../shared/retryTransient.ts';
import type { ServiceContext } from '../shared/service/service.ts';

export interface ArtifactAccess {
  artifacts: ArtifactStore;
  /** Folder of this machine for what is being made: that of the store, or a temporary one. */
  workFolder: string;
  /** Repeats requests for as long as the store is away. */
  repeat: RepeatRequest;
}

/**
 * Opens the store of artifacts. A run or a request that needs it waits for as long as it is away.
 * @param signal ends the waiting
 */
export function connectArtifacts(
  {
    environment,
    metrics,
    log,
  }: Pick<ServiceContext, 'environment' | 'log'> & {
    metrics: Pick<ServiceContext['metrics'], 'waits'>;
  },
  signal: AbortSignal,
): ArtifactAccess {
  const { DRIFTLOOP_ARTIFACTS: location } = environment;
  const server = 'the store of artifacts';
  const repeat: RepeatRequest = request =>
    retryTransient(
      request,
      isTransientS3Error,
      (error, attempt) => {
        metrics.waits.failed(server, error);
        log.warn({ err: error, attempt, location }, `${server} does not answer; trying again`);
      },
      () => metrics.waits.answered(server),
      signal,
    );
  return {
    artifacts: openArtifactStore(location, repeat),
    workFolder: localFolder(location) ?? join(tmpdir(), 'driftloop-work'),
    repeat,
  };
}
