import type { ArtifactStore } from '../../shared/artifacts/artifactStore.ts';

/** Returns whether artifacts are elsewhere than in the folder for what is being made. */
export function isBucket(artifacts: ArtifactStore): boolean {
  return artifacts.uri('').startsWith('s3:');
}

/** A training run, and where the files of its model are. */
export interface RunOfModel {
  runId: string;
  /** Folder of this machine for what is being made. */
  modelFolder: string;
  /** Where datasets and versions are kept. */
  artifacts: ArtifactStore;
}
