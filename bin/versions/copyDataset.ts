import { writeFile } from 'node:fs/promises';
import { datasetHash, readDataset } from '../../services/retrainer/dataset/dataset.ts';
import { locateArtifact } from '../../services/shared/artifacts/openArtifactStore.ts';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Copies the frozen rows of a version to a file of this machine.
 * @throws UserError if they are missing, or not those of the dataset
 */
export async function copyDataset(
  { datasetUri, datasetId }: { datasetUri: string; datasetId: string },
  file: string,
): Promise<void> {
  const { store, path } = locateArtifact(datasetUri);
  const content = await store.read(path);
  if (content === null) throw new UserError(`the dataset ${datasetUri} is missing`);
  await writeFile(file, content);
  const found = datasetHash(await readDataset(file));
  if (found !== datasetId)
    throw new UserError(
      `the dataset ${datasetUri} has the rows of dataset ${found}, expected ${datasetId}: it was changed or damaged`,
    );
}
