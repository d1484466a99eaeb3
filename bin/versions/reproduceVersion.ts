import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptTaskFile } from '../../services/retrainer/artifacts/runResult.ts';
import { platformOf } from '../../services/retrainer/external/trainingRequest.ts';
import { runTrainer } from '../../services/retrainer/trainer/runTrainer.ts';
import { trainerCodeVersion } from '../../services/retrainer/trainer/trainerCodeVersion.ts';
import {
  datasetFile,
  modelFolderName,
  type TrainingTask,
  taskFile,
} from '../../services/retrainer/trainer/trainerContract.ts';
import { fileArtifactStore } from '../../services/shared/artifacts/fileArtifactStore.ts';
import {
  checksumOf,
  type HashedFiles,
  hashFiles,
  readFileList,
} from '../../services/shared/artifacts/folderChecksum.ts';
import { locateArtifact } from '../../services/shared/artifacts/openArtifactStore.ts';
import type { ModelSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';
import { copyDataset } from './copyDataset.ts';
import { readFileOfVersion } from './fileOfVersion.ts';

/** What a version was made of. */
export interface MadeVersion {
  model: string;
  version: string;
  trainer: string;
  artifactUri: string;
  artifactChecksum: string;
  datasetId: string;
  datasetUri: string;
}

export interface Reproduction {
  checksum: string;
  /** How the files differ from those that were published, a sentence each; none if they are equal. */
  differences: string[];
}

/**
 * Trains a version again, on its frozen rows, with its task and seed and by the same trainer, and
 * compares the files that come out.
 * @throws UserError if the rows, the task or the trainer are not those that it was made of
 */
export async function reproduceVersion(
  made: MadeVersion,
  { retraining }: Pick<ModelSettings, 'retraining'>,
): Promise<Reproduction> {
  const { command, timeoutMs } = retraining;
  const named = `version ${made.version} of ${made.model}`;
  if (platformOf(retraining) !== null)
    throw new UserError(
      `${named} was trained outside, by ${JSON.stringify(made.trainer)}: it can only be trained again there`,
    );
  const trainer = trainerCodeVersion(command);
  if (trainer !== made.trainer)
    throw new UserError(
      `${named} was trained by ${JSON.stringify(made.trainer)}, but the trainer here is ${JSON.stringify(trainer)} (retraining.command in DRIFTLOOP_CONFIG): give it the same one`,
    );
  const task = JSON.parse(await readFileOfVersion(made, keptTaskFile)) as TrainingTask;
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-reproduce-'));
  try {
    await copyDataset(made, join(folder, datasetFile));
    const outputFolder = join(folder, 'output');
    await mkdir(outputFolder);
    await writeFile(join(folder, taskFile), JSON.stringify({ ...task, outputFolder }));
    const signal = new AbortController().signal;
    const options = { ...(command && { command }), timeoutMs, signal };
    const failure = await runTrainer(folder, { ...options, logFile: join(folder, 'training.log') });
    if (failure !== null) throw new UserError(`${named} could not be trained again. ${failure}`);
    const trained = await hashFiles({
      store: fileArtifactStore(outputFolder),
      path: modelFolderName,
    });
    const published = await readFileList(locateArtifact(made.artifactUri));
    return compared(trained, published, made.artifactChecksum);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Says how files that were trained differ from published ones. */
export function compared(
  trained: HashedFiles,
  published: HashedFiles | null,
  expected: string,
): Reproduction {
  const checksum = checksumOf(trained);
  if (checksum === expected) return { checksum, differences: [] };
  const whole = `The checksum is ${checksum}, but that of the version is ${expected}.`;
  const names = [...new Set([...Object.keys(trained), ...Object.keys(published ?? {})])].sort();
  const ofFiles = names.flatMap(name => {
    const [now, then] = [trained[name], published?.[name]];
    if (now?.sha256 === then?.sha256) return [];
    if (!now) return [`${name}: the version has it, but the new training left no such file.`];
    if (!then) return [`${name}: the new training left it, but the version has no such file.`];
    return [`${name}: SHA-256 ${now.sha256}, but that of the version is ${then.sha256}.`];
  });
  return { checksum, differences: [whole, ...(published === null ? [] : ofFiles)] };
}
