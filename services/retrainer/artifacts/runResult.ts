import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelVersion } from '../../shared/contracts.ts';
import { syncFile, syncFolder } from '../../shared/model/modelArtifact.ts';
import type { ReferenceProfiles } from '../../shared/profile/referenceProfiles.ts';
import { modelFolderName } from '../trainer/trainerContract.ts';

export type JudgedVersion = ModelVersion & { status: 'approved' | 'rejected' };

/** What a training has come to: all that is published of it. */
export interface RunResult {
  version: JudgedVersion;
  reference: ReferenceProfiles;
}

const resultFile = 'result.json';

/** Where the model of a run is kept. */
export function keptModelFolder(modelFolder: string, runId: string): string {
  return join(keptFolder(modelFolder, runId), modelFolderName);
}

function keptFolder(modelFolder: string, runId: string): string {
  return join(modelFolder, 'versions', runId);
}

/** The result of a run, or null when it has come to none. */
export async function readResult(modelFolder: string, runId: string): Promise<RunResult | null> {
  try {
    return JSON.parse(await readFile(join(keptFolder(modelFolder, runId), resultFile), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Keeps a result with its model, in one step. A cause may be in the hands of two processes, such as one that was stopped for so long
 * that its partitions went to another, and woke again: they train on rows that differ, and only the first to come here has trained.
 * @param folder has `model/`, and is moved
 * @returns the result that stands: the one that is given, or that of whoever was first
 */
export async function keepResult(
  folder: string,
  result: RunResult,
  { modelFolder, runId }: { modelFolder: string; runId: string },
): Promise<RunResult> {
  await writeFile(join(folder, resultFile), JSON.stringify(result));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await syncFile(join(entry.parentPath, entry.name));
  }
  const kept = keptFolder(modelFolder, runId);
  const versions = join(kept, '..');
  await mkdir(versions, { recursive: true });
  try {
    await rename(folder, kept);
  } catch (error) {
    // A folder that is not empty is never replaced.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  await syncFolder(versions);
  return (await readResult(modelFolder, runId))!;
}
