import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { openArtifactStore } from '../../services/shared/artifacts/openArtifactStore.ts';
import { copyDataset } from './copyDataset.ts';
import type { MadeVersion } from './reproduceVersion.ts';

/**
 * Puts the dataset of a version into a remote of DVC, and writes the file that names it there.
 * @param remote location of the remote: a folder, or s3://bucket/prefix
 * @param file the .dvc file to write; what it names is put beside it by `dvc pull`
 */
export async function exportToDvc(made: MadeVersion, remote: string, file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-dvc-'));
  try {
    const rows = join(folder, 'rows.parquet');
    await copyDataset(made, rows);
    const content = await readFile(rows);
    const md5 = createHash('md5').update(content).digest('hex');
    await openArtifactStore(remote).putFile(objectPath(md5), rows);
    const path = basename(file, '.dvc');
    await writeFile(file, dvcText(made, { path, md5, bytes: content.length }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns where a remote of DVC 3 has a file. */
export function objectPath(md5: string): string {
  return `files/md5/${md5.slice(0, 2)}/${md5.slice(2)}`;
}

/** Returns the content of a .dvc file of DVC 3, with what the file is in `meta`. */
export function dvcText(
  { model, version, datasetId }: Pick<MadeVersion, 'model' | 'version' | 'datasetId'>,
  { path, md5, bytes }: { path: string; md5: string; bytes: number },
): string {
  return stringify({
    outs: [{ md5, size: bytes, hash: 'md5', path }],
    meta: { driftloop: { model, version, datasetId } },
  });
}
