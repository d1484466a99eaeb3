import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileArtifactStore } from '../../shared/artifacts/fileArtifactStore.ts';
import { fileListOf, hashFiles } from '../../shared/artifacts/folderChecksum.ts';
import type { ReferenceProfiles } from '../../shared/profile/referenceProfiles.ts';
import { modelFolderName } from '../trainer/trainerContract.ts';
import type { VersionFacts } from '../versions/publishedVersion.ts';
import { isBucket, type RunOfModel } from './runOfModel.ts';

/** A candidate that the gates have approved or rejected. */
export interface JudgedVersion extends VersionFacts {
  id: string;
  status: 'approved' | 'rejected';
  /** When it was judged. */
  time: number;
}

/** The result of a training: all that is published of it. */
export interface RunResult {
  version: JudgedVersion;
  reference: ReferenceProfiles;
}

type KeptRun = Pick<RunOfModel, 'artifacts' | 'runId'>;

const resultFile = 'result.json';

/** Files beside the model: what the trainer was given, and what is known of the version. */
export const keptTaskFile = 'task.json';
export const modelCardFile = 'model-card.md';

/** The folder of a run's version in the store. */
function keptFolder(runId: string): string {
  return `versions/${runId}`;
}

/**
 * Returns the folder where the model of a run is kept. In a bucket, where no folder can be moved
 * there whole, the models of two attempts at a run must not mix. So there the name is that of the
 * content.
 */
export function keptModelFolder({ artifacts, runId }: KeptRun, checksum: string): string {
  const name = isBucket(artifacts)
    ? `${modelFolderName}-${checksum.slice(0, 16)}`
    : modelFolderName;
  return `${keptFolder(runId)}/${name}`;
}

/** Reads the result of a run, or returns null if it has none. */
export async function readResult({ artifacts, runId }: KeptRun): Promise<RunResult | null> {
  const content = await artifacts.read(`${keptFolder(runId)}/${resultFile}`);
  return content && JSON.parse(content.toString('utf8'));
}

/**
 * Keeps a result together with its model, in one step. Two processes may have the same cause in
 * hand, for example when one was frozen for so long that its partitions went to another, and then
 * woke. They train on different rows, and the result of the first one to come here is the result of
 * the run.
 * @param trainedFolder the model, which is moved
 * @param folder a new one for what is kept
 * @param texts content of further files to keep, by name
 * @returns the result that is kept: the given one, or that of the process that was first
 */
export async function keepResult(
  {
    trainedFolder,
    folder,
    texts,
  }: { trainedFolder: string; folder: string; texts: Record<string, string> },
  result: RunResult,
  run: KeptRun,
): Promise<RunResult> {
  const model = basename(keptModelFolder(run, result.version.artifactChecksum));
  await mkdir(folder, { recursive: true });
  await rename(trainedFolder, join(folder, model));
  const files = await hashFiles({ store: fileArtifactStore(folder), path: model });
  await writeFile(join(folder, fileListOf(model)), `${JSON.stringify(files, null, 1)}\n`);
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, resultFile), JSON.stringify(result));
  await run.artifacts.keepFolder(keptFolder(run.runId), folder, resultFile);
  return (await readResult(run))!;
}
