import { fileURLToPath } from 'node:url';
import { folderChecksum } from '../../shared/model/modelArtifact.ts';
import { fileSystemFailure } from './fileSystemFailure.ts';

/**
 * Says in one sentence why the artifact of a version cannot be served, or returns null if it is the
 * one that was published.
 */
export async function artifactMistake({
  version,
  artifactUri,
  artifactChecksum,
}: {
  version: string;
  artifactUri: string;
  artifactChecksum: string;
}): Promise<string | null> {
  const named = `The artifact of version ${version}, ${artifactUri},`;
  try {
    const checksum = await folderChecksum(fileURLToPath(artifactUri));
    if (checksum === artifactChecksum) return null;
    return `${named} has changed since it was published: its checksum is ${checksum} instead of ${artifactChecksum}.`;
  } catch (error) {
    if (fileSystemFailure(error) === null) throw error;
    return `${named} cannot be read: ${(error as Error).message}.`;
  }
}
