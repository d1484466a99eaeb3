import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFile, syncFolder } from '../../shared/model/modelArtifact.ts';
import type { ReferenceProfiles } from '../../shared/profile/referenceProfiles.ts';
import { modelFolderName } from '../trainer/trainerContract.ts';
import type { VersionFacts } from '../versions/publishedVersion.ts';
import type { RunOfModel } from './attemptFolder.ts';

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

const resultFile = 'result.json';

/** Returns the folder where the model of a run is kept. */
export function keptModelFolder(run: RunOfModel): string {
  return join(keptFolder(run), modelFolderName);
}

function keptFolder({ modelFolder, runId }: RunOfModel): string {
  return join(modelFolder, 'versions', runId);
}

/** Reads the result of a run, or returns null if it has none. */
export async function readResult(run: RunOfModel): Promise<RunResult | null> {
  try {
    return JSON.parse(await readFile(join(keptFolder(run), resultFile), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Keeps a result together with its model, in one step. Two processes may have the same cause in
 * hand, for example when one was frozen for so long that its partitions went to another, and then
 * woke. They train on different rows, and the result of the first one to come here is the result of
 * the run.
 * @param folder contains `model/`, and is moved
 * @returns the result that is kept: the given one, or that of the process that was first
 */
export async function keepResult(
  folder: string,
  result: RunResult,
  run: RunOfModel,
): Promise<RunResult> {
  await writeFile(join(folder, resultFile), JSON.stringify(result));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await syncFile(join(entry.parentPath, entry.name));
  }
  const kept = keptFolder(run);
  const versions = join(kept, '..');
  await mkdir(versions, { recursive: true });
  try {
    await rename(folder, kept);
  } catch (error) {
    // A folder that is not empty is never replaced.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  await syncFolder(versions);
  return (await readResult(run))!;
}
