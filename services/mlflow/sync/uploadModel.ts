import { join } from 'node:path';
import { ArtifactStoreError } from '../../shared/artifacts/artifactStore.ts';
import { fileArtifactStore } from '../../shared/artifacts/fileArtifactStore.ts';
import { withArtifactFolder } from '../../shared/artifacts/readArtifact.ts';
import { isTransientS3Error } from '../../shared/artifacts/s3ArtifactStore.ts';
import { UserError } from '../../shared/userError.ts';
import { MlflowError } from '../client/mlflowError.ts';
import type { MlflowRun } from '../client/mlflowRegistry.ts';
import type { MlflowRequests } from '../client/mlflowRequests.ts';
import { modelDescription, modelDescriptionFile } from '../content/modelDescription.ts';
import type { StoredVersion } from '../content/storedVersion.ts';

/** Where MLflow finds the files of a version. */
export type ModelSource =
  /** Where they are uploaded to, as a path of the artifacts of the server. */
  | { uri: string; target: string }
  /** They stay where they are; `files` says why, for people. */
  | { uri: string; target: null; files: string };

const proxiedScheme = 'mlflow-artifacts:';

/**
 * Decides where the files of a version belong: with the files of its run, if the server takes those.
 * Otherwise MLflow gets the address of those that lie in a bucket.
 */
export function sourceOf(
  { artifactUri }: Pick<StoredVersion, 'artifactUri'>,
  run: Pick<MlflowRun, 'id' | 'artifactUri'>,
): ModelSource {
  if (run.artifactUri.startsWith(proxiedScheme)) {
    const uri = `${run.artifactUri}/model`;
    return { uri, target: new URL(uri).pathname.replace(/^\/+/, '') };
  }
  if (!artifactUri.startsWith('file:'))
    return { uri: artifactUri, target: null, files: `in ${artifactUri}` };
  const files = `not uploaded: the server keeps files in ${run.artifactUri} and takes none (mlflow server --serve-artifacts)`;
  return { uri: `runs:/${run.id}/model`, target: null, files };
}

/**
 * Uploads the files of a version, which replaces those of an upload that was cut off.
 * @returns why they cannot be uploaded, or null. States and aliases are worth having without files.
 * @throws the error of a bucket that is away
 */
export async function uploadModel(
  version: StoredVersion,
  mlflowRunId: string,
  target: string,
  requests: Pick<MlflowRequests, 'uploadFile' | 'uploadText'>,
): Promise<string | null> {
  const { artifactUri, artifactChecksum } = version;
  try {
    await withArtifactFolder(artifactUri, artifactChecksum, async folder => {
      const names = await fileArtifactStore(folder).list('');
      for (const name of names) await requests.uploadFile(`${target}/${name}`, join(folder, name));
      if (names.includes(modelDescriptionFile)) return;
      const description = modelDescription(version, mlflowRunId);
      await requests.uploadText(`${target}/${modelDescriptionFile}`, description);
    });
    return null;
  } catch (error) {
    if (!isAboutFiles(error)) throw error;
    return (error as Error).message;
  }
}

/** Returns whether files cannot be read, or are not those of the version. */
function isAboutFiles(error: unknown): boolean {
  if (error instanceof MlflowError || isTransientS3Error(error)) return false;
  return (
    error instanceof UserError ||
    error instanceof ArtifactStoreError ||
    (error as NodeJS.ErrnoException).code !== undefined
  );
}
