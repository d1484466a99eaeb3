import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderChecksum } from '../../shared/artifacts/folderChecksum.ts';
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
 * Files that lie in a store of their own stay there.
 */
export function sourceOf({ artifactUri }: StoredVersion, run: MlflowRun): ModelSource {
  if (!artifactUri.startsWith('file:'))
    return { uri: artifactUri, target: null, files: `in ${artifactUri}` };
  if (!run.artifactUri.startsWith(proxiedScheme)) {
    const files = `not uploaded: the server keeps files in ${run.artifactUri} and takes none (mlflow server --serve-artifacts)`;
    return { uri: `runs:/${run.id}/model`, target: null, files };
  }
  const uri = `${run.artifactUri}/model`;
  return { uri, target: new URL(uri).pathname.replace(/^\/+/, '') };
}

/**
 * Uploads the files of a version, which replaces those of an upload that was cut off.
 * @returns why they cannot be uploaded, or null. States and aliases are worth having without files.
 */
export async function uploadModel(
  version: StoredVersion,
  mlflowRunId: string,
  target: string,
  requests: MlflowRequests,
): Promise<string | null> {
  const folder = fileURLToPath(version.artifactUri);
  const mistake = await mistakeIn(folder, version.artifactChecksum);
  if (mistake !== null) return mistake;
  const names = await filesIn(folder);
  for (const name of names) await requests.uploadFile(`${target}/${name}`, join(folder, name));
  if (!names.includes(modelDescriptionFile)) {
    const description = modelDescription(version, mlflowRunId);
    await requests.uploadText(`${target}/${modelDescriptionFile}`, description);
  }
  return null;
}

async function mistakeIn(folder: string, checksum: string): Promise<string | null> {
  try {
    const found = await folderChecksum(folder);
    return found === checksum
      ? null
      : `the checksum of ${folder} is ${found} instead of ${checksum}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return (error as Error).message;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
